// The console's colours, once, for both schemes. Pairs that carry text are checked for contrast in palette.test.ts.

export interface Palette {
  /** The page behind everything. */
  readonly page: string;
  /** Panels and rows. */
  readonly surface: string;
  /** Wells: inputs, code, the rail. */
  readonly sunk: string;
  /** Hairlines. */
  readonly line: string;
  /** Borders that must be seen, such as those of inputs. */
  readonly edge: string;
  readonly text: string;
  /** Secondary text. */
  readonly dim: string;
  readonly accent: string;
  /** Background of what is selected. */
  readonly accentSoft: string;
  /** Text on a filled accent. */
  readonly onAccent: string;
  /** 1xx and 2xx. */
  readonly ok: string;
  /** 3xx. */
  readonly redirect: string;
  /** 4xx. */
  readonly client: string;
  /** 5xx and failed upstreams. */
  readonly server: string;
  /** No response. */
  readonly none: string;
  readonly attack: string;
  /** Text in the colours of 4xx and 5xx. */
  readonly clientText: string;
  readonly serverText: string;
  readonly okText: string;
  readonly clientSoft: string;
  readonly serverSoft: string;
}

export const light: Palette = {
  page: "#f6f4ef",
  surface: "#fffefb",
  sunk: "#edeae3",
  line: "#e2ddd3",
  edge: "#8f897d",
  text: "#1d2126",
  dim: "#575b62",
  accent: "#3a4899",
  accentSoft: "#e6e8f5",
  onAccent: "#ffffff",
  ok: "#3f7d8c",
  redirect: "#928ca0",
  client: "#c27a00",
  server: "#c4312b",
  none: "#77787d",
  attack: "#a3195b",
  clientText: "#824d00",
  serverText: "#ae231d",
  okText: "#2b6572",
  clientSoft: "#f8ecd3",
  serverSoft: "#f9e2de",
};

export const dark: Palette = {
  page: "#111316",
  surface: "#181b1f",
  sunk: "#0c0e10",
  line: "#282c32",
  edge: "#6c737d",
  text: "#e3e5e8",
  dim: "#a2a8b1",
  accent: "#a9b4ff",
  accentSoft: "#242a47",
  onAccent: "#12163a",
  ok: "#6fa9b8",
  redirect: "#837e91",
  client: "#e2a03a",
  server: "#f0716a",
  none: "#8b9098",
  attack: "#f06cb0",
  clientText: "#eab364",
  serverText: "#f58d87",
  okText: "#8fc1ce",
  clientSoft: "#33270f",
  serverSoft: "#3b1d1b",
};

const names: Readonly<Record<keyof Palette, string>> = {
  page: "page",
  surface: "surface",
  sunk: "sunk",
  line: "line",
  edge: "edge",
  text: "text",
  dim: "dim",
  accent: "accent",
  accentSoft: "accent-soft",
  onAccent: "on-accent",
  ok: "ok",
  redirect: "redirect",
  client: "client",
  server: "server",
  none: "none",
  attack: "attack",
  clientText: "client-text",
  serverText: "server-text",
  okText: "ok-text",
  clientSoft: "client-soft",
  serverSoft: "server-soft",
};

/** The palette as custom properties: `--tl-page` and so on. */
export function asVariables(palette: Palette): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const key of Object.keys(names) as (keyof Palette)[]) {
    variables[`--tl-${names[key]}`] = palette[key];
  }
  return variables;
}
