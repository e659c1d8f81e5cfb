// The one place that talks to the hub. Every call either gives the body the OpenAPI document promises or throws an
// ApiProblem.

import createClient, { type Middleware } from "openapi-fetch";
import { ApiProblem, readProblem } from "./problem";
import type { paths } from "./schema.gen";

const throwing: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) {
      throw await readProblem(response);
    }
  },
};

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });
api.use(throwing);

/** The body of an answer that has one. */
export async function body<T>(call: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await call;
  if (data === undefined) {
    throw new ApiProblem(response.status, "The hub's answer was empty", "An answer without a body came where one was promised.");
  }
  return data;
}
