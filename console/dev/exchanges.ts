// Made-up exchanges for working on the console without a hub. Deterministic: the same actors every time.

import type { components } from "../src/api/schema.gen.ts";

export type Exchange = components["schemas"]["Exchange"];

/** A small deterministic random source (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hex(seed: string, length: number): string {
  let out = "";
  let state = 0x81_1c_9d_c5;
  for (let round = 0; out.length < length; round += 1) {
    for (const mark of `${seed}${round}`) {
      state = Math.imul(state ^ (mark.codePointAt(0) ?? 0), 0x01_00_01_93) >>> 0;
    }
    out += state.toString(16).padStart(8, "0");
  }
  return out.slice(0, length);
}

const people = ["ann", "bob", "chidi", "dagmar", "emre", "fatima", "giulia", "henrik", "ines", "jonas", "keiko", "lars"];
const agents = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
  "ShopApp/4.2 (Android 15; Pixel 9)",
];
const shopping: readonly (readonly [string, string, string, number])[] = [
  ["GET", "/products", "/products", 200],
  ["GET", "/products/1184", "/products/{int}", 200],
  ["GET", "/products/977/reviews", "/products/{int}/reviews", 200],
  ["POST", "/cart/items", "/cart/items", 201],
  ["GET", "/cart", "/cart", 200],
  ["GET", "/images/hero.webp", "/images/{name}", 304],
  ["POST", "/checkout", "/checkout", 200],
  ["GET", "/orders", "/orders", 200],
  ["GET", "/orders/55013", "/orders/{int}", 200],
];

interface Actor {
  readonly name: string;
  readonly user: string | null;
  readonly role: string | null;
  readonly kind: "configured" | "builtin" | "fallback";
  readonly key: string;
  readonly agent: string;
  readonly ip: string;
  readonly behaviour: "shop" | "crawl" | "enumerate" | "app" | "hostile";
}

function actors(): readonly Actor[] {
  const shoppers = people.map((user, at): Actor => ({
    name: `shop-${user}`,
    user,
    role: at % 5 === 0 ? "staff" : "customer",
    kind: at % 3 === 0 ? "configured" : "builtin",
    key: at % 3 === 0 ? "access token" : "cookie connect.sid",
    agent: agents[at % agents.length] ?? "",
    ip: at < 2 ? "203.0.113.40" : `198.51.100.${20 + at}`,
    behaviour: at % 4 === 3 ? "app" : "shop",
  }));
  const plain = (name: string, ip: string, agent: string, behaviour: Actor["behaviour"]): Actor => ({
    name,
    user: null,
    role: null,
    kind: "fallback",
    key: "address and user agent",
    agent,
    ip,
    behaviour,
  });
  return [
    ...shoppers,
    plain("crawler", "192.0.2.17", "ExampleBot/2.1 (+http://bot.example/about)", "crawl"),
    { ...plain("enumerator", "2001:db8:51::9", "python-requests/2.32", "enumerate"), kind: "builtin", key: "header X-API-KEY" },
    plain("hostile", "192.0.2.99", "<img src=x onerror=alert(1)> \u202Egnp.tac", "hostile"),
    ...Array.from({ length: 30 }, (_, at) => plain(`visitor-${at}`, `192.0.2.${100 + at}`, agents[at % 3] ?? "", "shop")),
  ];
}

export function makeExchanges(now: number): readonly Exchange[] {
  const made: Exchange[] = [];
  for (const [at, actor] of actors().entries()) {
    const chance = random(at + 7);
    for (const daysAgo of at % 4 === 0 ? [0, 1, 3] : [0]) {
      const day = now - daysAgo * 86_400_000;
      let moment = day - Math.floor(chance() * 4 * 3_600_000) - 60_000;
      const length = actor.behaviour === "crawl" ? 400 : actor.behaviour === "enumerate" ? 260 : 4 + Math.floor(chance() * 60);
      for (let step = 0; step < length && moment < day; step += 1) {
        made.push(one(actor, moment, step, chance, daysAgo));
        const pause = actor.behaviour === "crawl" ? 2500 : actor.behaviour === "enumerate" ? 700 : chance() < 0.03 ? 40 * 60_000 : chance() * 40_000;
        moment += Math.max(Math.floor(pause), 30);
      }
    }
  }
  return made.toSorted((a, b) => a.ts.localeCompare(b.ts));
}

function one(actor: Actor, moment: number, step: number, chance: () => number, day: number): Exchange {
  const [method, path, template, status] = request(actor, step, chance);
  const host = actor.behaviour === "app" ? "mobile.shop.example" : "api.shop.example";
  const value = hex(actor.name, 32);
  const id = hex(`${actor.name}${day}${step}`, 32);
  const login = actor.kind === "configured" && step === 0;
  const failed = status === 502;
  return {
    ts: `${new Date(moment).toISOString().slice(0, -1)}${String(Math.floor(chance() * 1000)).padStart(3, "0")}Z`,
    ingested_at: new Date(moment + 250).toISOString(),
    exchange_id: `${id.slice(0, 8)}-${id.slice(8, 12)}-7${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`,
    node: "local",
    source: "proxy",
    policy_version: 3,
    application: actor.behaviour === "app" ? "mobile" : "default",
    host,
    scheme: "http",
    proto: "HTTP/1.1",
    method: login ? "POST" : method,
    path: login ? "/login" : path,
    query: path === "/products" ? "page&q" : null,
    endpoint: `${login ? "POST" : method} ${host} ${login ? "/login" : template}`,
    protocol: "rest",
    operation: null,
    status: failed ? 502 : login ? 200 : status,
    outcome: failed ? "upstream_failed" : "completed",
    duration_us: Math.floor(2000 + chance() ** 4 * 900_000),
    upstream_us: Math.floor(1500 + chance() * 1500),
    request_bytes: method === "POST" ? 120 : 0,
    response_bytes: Math.floor(chance() * 40_000),
    client_ip: actor.ip,
    user_agent: actor.agent,
    ja3: null,
    ja4: "t13d1516h2_8daaf6152771_02713d6af862",
    session_id: hex(`session ${actor.name}`, 32),
    session_key: actor.key,
    session_key_kind: actor.kind,
    session_value: actor.kind === "fallback" ? actor.ip : value,
    session_value_hashed: actor.kind !== "fallback",
    session_value_origin: login ? "issued" : "unknown",
    session_uncertain: step === 7,
    request_session_id: login ? hex(`session before ${actor.name}`, 32) : null,
    request_session_key_kind: login ? "fallback" : null,
    trace_id: step % 3 === 0 ? hex(`trace${id}`, 32) : null,
    user: actor.user,
    role: actor.role,
    params:
      actor.user === null
        ? []
        : [
            { name: "access token", value: hex(`token ${actor.name}`, 32), hashed: true, origin: login ? "response" : "request", hidden: false },
            { name: "user", value: actor.user, hashed: false, origin: "request", hidden: false },
          ],
    attacks: 0,
    action: "none",
    parse_errors: step === 7 ? [{ part: "request body", parser: "json", offset: 65_536, reason: "ended early" }] : [],
  };
}

function request(actor: Actor, step: number, chance: () => number): readonly [string, string, string, number] {
  switch (actor.behaviour) {
    case "crawl":
      return ["GET", `/products/${1000 + step}`, "/products/{int}", step % 9 === 0 ? 404 : 200];
    case "enumerate":
      return ["GET", `/orders/${50_000 + step}`, "/orders/{int}", step % 6 === 0 ? 200 : 403];
    case "hostile":
      return ["GET", `/search/<img src=x onerror=alert(${step})>\u202Efdp.eciovni`, "/search/{text}", 400];
    case "app":
    case "shop": {
      const [method, path, template, status] = shopping[Math.floor(chance() * shopping.length)] ?? ["GET", "/", "/", 200];
      const luck = chance();
      return [method, path, template, luck < 0.03 ? 500 : luck < 0.04 ? 502 : luck < 0.09 ? 422 : status];
    }
  }
}
