// The time range: a preset that moves with the clock, or two exact moments.

export const presets = ["15m", "1h", "24h", "7d", "all"] as const;

export type Preset = (typeof presets)[number];

export type Range =
  | { readonly kind: "last"; readonly last: Preset }
  | { readonly kind: "exact"; readonly from: string; readonly to: string };

/** Two moments, RFC 3339 in UTC. */
export interface Moments {
  readonly from: string;
  readonly to: string;
}

export const defaultRange: Range = { kind: "last", last: "24h" };

const words: Readonly<Record<Preset, string>> = {
  "15m": "last 15 minutes",
  "1h": "last hour",
  "24h": "last 24 hours",
  "7d": "last 7 days",
  all: "everything kept",
};

export function presetWords(preset: Preset): string {
  return words[preset];
}

export function isPreset(text: unknown): text is Preset {
  return (presets as readonly unknown[]).includes(text);
}

export function isMoment(text: unknown): text is string {
  return typeof text === "string" && /^\d{4}-\d\d-\d\dT/u.test(text) && !Number.isNaN(Date.parse(text));
}

/** The range as the API's parameters. */
export function rangeParameters(range: Range): { last?: string; from?: string; to?: string } {
  return range.kind === "last" ? { last: range.last } : { from: range.from, to: range.to };
}

/** An exact range between two moments in milliseconds, whichever comes first, at least one millisecond long. */
export function between(one: number, other: number): Range {
  const from = Math.floor(Math.min(one, other));
  const to = Math.max(Math.ceil(Math.max(one, other)), from + 1);
  return { kind: "exact", from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
