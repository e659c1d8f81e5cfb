// A stand-in for the hub while working on the console: `npm run dev` without THREADLINE_HUB. Development only; it is
// no part of the build and no test relies on it.

import type { IncomingMessage, ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import type { components } from "../src/api/schema.gen.ts";
import { ask, facet, histogram, parts, range, summary } from "./answers.ts";
import { makeExchanges } from "./exchanges.ts";

type Schemas = components["schemas"];

const builtIn: Schemas["BuiltInRule"][] = [
  { name: "cookie PHPSESSID", description: "Session cookie PHPSESSID (PHP): set by the response, else sent" },
  { name: "cookie connect.sid", description: "Session cookie connect.sid (Express): set by the response, else sent" },
  { name: "header X-API-KEY", description: "Request header X-API-KEY" },
  { name: "address and user agent", description: "Nothing identifies the client: its address and user agent together" },
];

let policy: Schemas["PolicyParameters"] = {
  version: 3,
  saved_at: new Date(Date.now() - 7_200_000).toISOString(),
  saved_by: "admin",
  comment: null,
  parameters: [
    parameter("token", "response > body > json > property token", true, true, "none"),
    parameter("access token", "request > header AUTHORIZATION > bearer", true, true, "none"),
    parameter("user", "request > header AUTHORIZATION > jwt payload > property sub", false, false, "user"),
  ],
  built_in: builtIn,
  maximum: 20,
};

function parameter(name: string, point: string, group: boolean, hashed: boolean, type: "none" | "user" | "role"): Schemas["PolicyParameter"] {
  const breadcrumb = point.split(" > ").flatMap((step) => {
    const [head, ...rest] = step.split(" ");
    return [(head ?? "").toUpperCase(), ...rest];
  });
  return { name, point, point_json: [], breadcrumb, type, group, hashed, namespace: null, with: [], scope: {} };
}

export function fixtureHub(): Plugin {
  const exchanges = makeExchanges(Date.now());
  return {
    name: "threadline-fixture-hub",
    configureServer(server) {
      server.middlewares.use("/api/v1", (request, response) => {
        void answer(request, response);
      });
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://hub");
    const path = url.pathname;
    const query = url.searchParams;
    const send = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json", ...headers });
      response.end(JSON.stringify(value));
    };
    const refuse = (status: number, title: string, errors: Schemas["FieldProblem"][] = []): void => {
      send({ type: "urn:threadline:problem:dev", title, status, detail: title, errors } satisfies Schemas["ProblemDetails"], status);
    };
    const asked = ask(exchanges, query, Date.now());
    const limit = Number(query.get("limit") ?? 50);
    const start = Number(query.get("page_token") ?? 0);
    const next = (total: number): string | null => (start + limit < total ? String(start + limit) : null);
    const session = /^\/sessions\/([0-9a-f]{32})(\/exchanges)?$/u.exec(path);

    if (path === "/me") {
      send({ name: "admin", role: "admin", kind: "person", expires_at: null } satisfies Schemas["Me"]);
    } else if (path === "/first-run") {
      send({ open: true });
    } else if (path === "/sessions") {
      const all = parts(asked.held, Number(query.get("thread_bins") ?? 0));
      send({
        range: range(asked),
        total: all.length,
        next_page_token: next(all.length),
        sessions: all.slice(start, start + limit),
      } satisfies Schemas["SessionList"]);
    } else if (session?.[2] !== undefined) {
      const held = asked.held.filter((one) => one.session_id === session[1]);
      send({
        range: range(asked),
        total: held.length,
        next_page_token: next(held.length),
        exchanges: held.slice(start, start + limit),
      } satisfies Schemas["ExchangeList"]);
    } else if (session !== null) {
      const found = summary(session[1] ?? "", asked, Number(query.get("thread_bins") ?? 400));
      if (found === undefined) {
        refuse(404, "No exchange of this session counts");
      } else {
        send(found);
      }
    } else if (path.startsWith("/exchanges/")) {
      const one = exchanges.find((held) => held.exchange_id === path.slice("/exchanges/".length));
      if (one === undefined) {
        refuse(404, "There is no such exchange");
        return;
      }
      const configured = one.session_key_kind === "configured";
      send({
        ...one,
        trace: [
          { name: "token", point: "response > body > json > property token", outcome: "absent" },
          { name: "access token", point: "request > header AUTHORIZATION > bearer", outcome: configured ? "decided" : one.session_uncertain ? "not_captured" : "absent" },
        ],
        built_in: configured ? null : (builtIn.find((rule) => rule.name === one.session_key) ?? null),
      } satisfies Schemas["ExchangeDetails"]);
    } else if (path === "/facets") {
      send({ range: range(asked), facets: query.getAll("field").map((field) => facet(asked, field, limit)) } satisfies Schemas["FacetList"]);
    } else if (path === "/histogram") {
      send(histogram(asked, Number(query.get("bars") ?? 60)));
    } else if (path === "/status") {
      send({
        version: "0.1.0",
        started_at: new Date(Date.now() - 3_600_000).toISOString(),
        now: new Date().toISOString(),
        policy_version: policy.version,
        store: { exchanges: exchanges.length, bytes_on_disk: exchanges.length * 61, days: ["2026-11-22", "2026-11-23"], import_days: [], damaged_files: 0, span: range(asked) },
        nodes: [{ name: "local", counters: [{ name: "received", value: 18_231 }, { name: "shed", value: 0 }, { name: "exported_rows", value: 18_231 }] }],
      } satisfies Schemas["Status"]);
    } else if (path === "/hashes") {
      // Nothing here is hashed: whatever is looked for, a key finds the first session and nothing else anything.
      const session_ids = exchanges.slice(0, 1).map((one) => one.session_id);
      send({ parameter_hashes: ["0".repeat(32)], session_ids } satisfies Schemas["HashesOfValue"]);
    } else if (path === "/tokens") {
      send({ tokens: [] } satisfies Schemas["ApiTokenList"]);
    } else if (path === "/openapi.json") {
      send(JSON.parse(readFileSync(new URL("../../openapi/v1.json", import.meta.url), "utf8")));
    } else if (path === "/policy/points/check") {
      const { point } = JSON.parse(await bodyOf(request)) as { point: string };
      const good = /^(request|response) > /u.test(point);
      const spelled = parameter("", point, false, false, "none");
      send({
        spellings: good ? { point, point_json: [], breadcrumb: spelled.breadcrumb, side: "request", hashed_by_default: point.includes("AUTH") } : null,
        error: good ? null : { step: 0, allowed: ["request", "response"], reason: `step 1 cannot stand first; here may stand: request, response` },
      } satisfies Schemas["PointCheck"]);
    } else if (path === "/policy/parameters" && request.method === "PUT") {
      if (request.headers["if-match"] !== `"${policy.version}"`) {
        refuse(412, "Somebody saved a newer version");
        return;
      }
      const input = JSON.parse(await bodyOf(request)) as Schemas["PolicyInput"];
      const errors = input.parameters.flatMap((one, at) =>
        one.name === "" ? [{ field: `parameters[${at}].name`, reason: "must have 1 to 64 characters" }] : [],
      );
      if (errors.length > 0) {
        refuse(422, "A field cannot be accepted", errors);
        return;
      }
      policy = {
        ...policy,
        version: policy.version + 1,
        saved_at: new Date().toISOString(),
        parameters: input.parameters.map((one) => parameter(one.name, String(one.point), one.group ?? false, one.hashed ?? false, one.type ?? "none")),
      };
      send(policy, 200, { etag: `"${policy.version}"` });
    } else if (path === "/policy/parameters") {
      send(policy, 200, { etag: `"${policy.version}"` });
    } else {
      refuse(404, "The development stand-in does not have this");
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
  }
  return text;
}
