// The filters the API knows. What a value may be and how it is compared is the hub's business; the console only
// carries the text there and back.

export interface FilterField {
  /** Name in the API, in the address bar and in the filter bar. */
  readonly name: FieldName;
  readonly label: string;
  /** Shown while the field is being typed. */
  readonly hint: string;
  /** Whether `/facets` counts its values. */
  readonly counted: boolean;
}

export const fieldNames = [
  "application",
  "host",
  "ip",
  "method",
  "status",
  "user",
  "role",
  "endpoint",
  "session",
  "request",
  "key",
  "key_kind",
  "value",
  "parameter",
  "outcome",
] as const;

export type FieldName = (typeof fieldNames)[number];

export const fields: readonly FilterField[] = [
  { name: "user", label: "User", hint: "the parameter typed User", counted: true },
  { name: "endpoint", label: "Endpoint", hint: "part of the endpoint or path", counted: true },
  { name: "host", label: "Host", hint: "API host", counted: true },
  { name: "ip", label: "Address", hint: "client address or network, 203.0.113.0/24", counted: true },
  { name: "status", label: "Status", hint: "404, 4xx, or none", counted: true },
  { name: "method", label: "Method", hint: "GET, POST …", counted: true },
  { name: "role", label: "Role", hint: "the parameter typed Role", counted: true },
  { name: "key", label: "Key", hint: "the key that decided the session", counted: true },
  { name: "application", label: "Application", hint: "application ID", counted: true },
  { name: "outcome", label: "Outcome", hint: "completed, client_aborted, upstream_failed …", counted: true },
  { name: "key_kind", label: "Kind of key", hint: "configured, builtin or fallback", counted: false },
  { name: "parameter", label: "Parameter", hint: "an exported parameter and its value, plan:gold", counted: false },
  { name: "value", label: "Deciding value", hint: "the value that decided the session, as it is exported", counted: false },
  { name: "session", label: "Session", hint: "session ID, 32 hexadecimal digits", counted: false },
  { name: "request", label: "Request", hint: "request ID, a UUID", counted: false },
];

export function fieldNamed(text: string): FilterField | undefined {
  return fields.find((field) => field.name === text);
}

export function isFieldName(text: string): text is FieldName {
  return (fieldNames as readonly string[]).includes(text);
}
