import type { Histogram } from "../api/types";
import type { Bar } from "../ui/Histogram";

/** The hub's answer as the drawing takes it. */
export function toBars(answer: Histogram): { bars: readonly Bar[]; from: number; to: number } {
  return {
    bars: answer.bars.map(({ from, counts, sessions }) => ({
      from,
      fine: (counts.ok ?? 0) + (counts.redirect ?? 0),
      client: counts.client_error ?? 0,
      server: counts.server_error ?? 0,
      other: counts.no_response ?? 0,
      sessions,
    })),
    from: Date.parse(answer.range.from),
    to: Date.parse(answer.range.to),
  };
}
