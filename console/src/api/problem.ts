// What went wrong with a request, in a shape that can be shown: what failed, whose fault it is, which field and why.

export interface FieldProblem {
  readonly field: string;
  readonly reason: string;
}

/** Whose fault a failure is. */
export type Fault = "request" | "sign-in" | "hub" | "connection";

export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldProblem[];

  constructor(status: number, title: string, detail: string, errors: readonly FieldProblem[] = []) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.title = title;
    this.errors = errors;
  }

  get fault(): Fault {
    if (this.status === 0) {
      return "connection";
    }
    if (this.status === 401) {
      return "sign-in";
    }
    return this.status >= 500 ? "hub" : "request";
  }
}

/** Reads problem details (RFC 9457) off a response that is not a success, whatever it turns out to hold. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  const fallback = new ApiProblem(
    response.status,
    `The hub answered ${response.status}`,
    response.statusText === "" ? "It gave no reason." : response.statusText,
  );
  try {
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null) {
      return fallback;
    }
    const title = "title" in body && typeof body.title === "string" ? body.title : fallback.title;
    const detail = "detail" in body && typeof body.detail === "string" ? body.detail : fallback.message;
    const errors = "errors" in body && Array.isArray(body.errors) ? body.errors.filter((error) => isFieldProblem(error)) : [];
    return new ApiProblem(response.status, title, detail, errors);
  } catch {
    return fallback;
  }
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) {
    return error;
  }
  return new ApiProblem(0, "The hub cannot be reached", "No answer came back: it may be stopped or restarting, or the network is down.");
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return (
    typeof value === "object" &&
    value !== null &&
    "field" in value &&
    typeof value.field === "string" &&
    "reason" in value &&
    typeof value.reason === "string"
  );
}
