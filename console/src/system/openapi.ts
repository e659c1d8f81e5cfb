// Reads an OpenAPI 3.1 document for showing it. Takes what is there and leaves out what it does not understand.

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** Body of the request. */
  readonly body: Shape | undefined;
  readonly answers: readonly { readonly status: string; readonly description: string; readonly shape: Shape | undefined }[];
}

export interface Parameter {
  readonly name: string;
  readonly place: string;
  readonly required: boolean;
  readonly type: string;
  readonly description: string;
}

/** A schema, named or not. */
export interface Shape {
  readonly name: string;
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

type Json = Readonly<Record<string, unknown>>;

const methods = ["get", "post", "put", "patch", "delete"] as const;

export function readDocument(document: unknown): readonly Operation[] {
  const root = object(document);
  const found: Operation[] = [];
  for (const [path, item] of Object.entries(object(root["paths"]))) {
    for (const method of methods) {
      const operation = object(object(item)[method]);
      if (Object.keys(operation).length > 0) {
        found.push(readOperation(root, path, method, operation));
      }
    }
  }
  return found;
}

function readOperation(root: Json, path: string, method: string, operation: Json): Operation {
  return {
    id: `${method}-${path}`.replaceAll(/[^a-z0-9]+/giu, "-").toLowerCase(),
    method: method.toUpperCase(),
    path,
    tag: text(list(operation["tags"])[0]) || "other",
    summary: text(operation["summary"]),
    description: text(operation["description"]),
    parameters: list(operation["parameters"]).map((one) => {
      const parameter = object(one);
      return {
        name: text(parameter["name"]),
        place: text(parameter["in"]),
        required: parameter["required"] === true,
        type: typeOf(root, parameter["schema"]),
        description: text(parameter["description"]),
      };
    }),
    body: bodyOf(root, operation["requestBody"]),
    answers: Object.entries(object(operation["responses"])).map(([status, one]) => {
      const answer = resolve(root, one);
      return { status, description: text(answer["description"]), shape: bodyOf(root, answer) };
    }),
  };
}

function bodyOf(root: Json, holder: unknown): Shape | undefined {
  const [content] = Object.values(object(object(holder)["content"]));
  const schema = object(content)["schema"];
  return schema === undefined ? undefined : shapeOf(root, schema);
}

function shapeOf(root: Json, schema: unknown): Shape {
  const name = typeOf(root, schema);
  const fields: Field[] = [];
  for (const part of partsOf(root, schema, 0)) {
    const required = list(part["required"]);
    for (const [field, value] of Object.entries(object(part["properties"]))) {
      fields.push({
        name: field,
        type: typeOf(root, value),
        required: required.includes(field),
        description: text(object(value)["description"]),
      });
    }
  }
  return { name, fields };
}

/** A schema and what it is composed of. */
function partsOf(root: Json, schema: unknown, depth: number): readonly Json[] {
  const resolved = resolve(root, schema);
  if (depth > 4) {
    return [];
  }
  return [resolved, ...list(resolved["allOf"]).flatMap((part) => partsOf(root, part, depth + 1))];
}

function typeOf(root: Json, schema: unknown, depth = 0): string {
  const one = object(schema);
  const reference = text(one["$ref"]);
  if (reference !== "") {
    return reference.split("/").at(-1) ?? "";
  }
  if (depth > 4) {
    return "…";
  }
  const alternatives = [...list(one["oneOf"]), ...list(one["anyOf"])];
  if (alternatives.length > 0) {
    return alternatives.map((alternative) => typeOf(root, alternative, depth + 1)).join(" or ");
  }
  const values = list(one["enum"]);
  if (values.length > 0) {
    return values.map((value) => JSON.stringify(value)).join(" | ");
  }
  const types = Array.isArray(one["type"]) ? one["type"] : one["type"] === undefined ? [] : [one["type"]];
  const named = types.map((type) => (type === "array" ? `${typeOf(root, one["items"], depth + 1)}[]` : text(type)));
  const format = text(one["format"]);
  return `${named.join(" or ") || "object"}${format === "" ? "" : ` (${format})`}`;
}

function resolve(root: Json, schema: unknown): Json {
  const one = object(schema);
  const reference = text(one["$ref"]);
  if (!reference.startsWith("#/")) {
    return one;
  }
  let at: unknown = root;
  for (const step of reference.slice(2).split("/")) {
    at = object(at)[step];
  }
  return object(at);
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
