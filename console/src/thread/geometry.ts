// How a session becomes a line: pure arithmetic, no drawing. What went well stands above the line, what went wrong
// hangs below it; so the picture reads without its colours.

/** Exchanges by outcome, as the API counts them; numbers that are 0 may be left out. */
export interface Bin {
  readonly index: number;
  readonly ok?: number;
  readonly redirect?: number;
  readonly client_error?: number;
  readonly server_error?: number;
  readonly no_response?: number;
  readonly attacks?: number;
  readonly blocked?: number;
}

export interface Binned {
  readonly from: string;
  readonly to: string;
  readonly bins_total: number;
  readonly bins: readonly Bin[];
}

/** Milliseconds since 1970 at the left and right edge of the drawing. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Exchanges that share one place on the line. */
export interface Mark extends Required<Bin> {
  /** Pixels from the left. */
  readonly x: number;
  /** The time that the mark covers. */
  readonly span: Span;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface ThreadShape {
  readonly marks: readonly Mark[];
  /** Where the line is drawn, in pixels. */
  readonly line: readonly Stretch[];
  /** Where it is broken: nothing happened for longer than the idle limit. */
  readonly breaks: readonly Stretch[];
}

/** Idle time that breaks the line. */
export const idleLimit = 30 * 60 * 1000;

export function spanOf(thread: Binned): Span {
  return { from: Date.parse(thread.from), to: Date.parse(thread.to) };
}

export function totalOf(bin: Bin): number {
  return above(bin) + below(bin) + (bin.no_response ?? 0);
}

/** Pixels of a moment. */
export function place(moment: number, span: Span, width: number): number {
  const length = Math.max(span.to - span.from, 1);
  return ((moment - span.from) / length) * width;
}

/** The moment under a pixel. */
export function momentAt(x: number, span: Span, width: number): number {
  return span.from + (Math.min(Math.max(x, 0), width) / Math.max(width, 1)) * (span.to - span.from);
}

/**
 * Lays a thread out over `width` pixels that stand for `span`. Bins closer than `pitch` pixels are added up into one
 * mark, never dropped.
 */
export function shape(thread: Binned, span: Span, width: number, pitch: number, idle: number = idleLimit): ThreadShape {
  if (!(width > 0)) {
    // Not laid out yet.
    return { marks: [], line: [], breaks: [] };
  }
  const own = spanOf(thread);
  const binLength = (own.to - own.from) / Math.max(thread.bins_total, 1);
  const columns = Math.max(Math.floor(width / pitch), 1);
  const held = new Map<number, Mark>();
  for (const bin of thread.bins) {
    const from = own.from + bin.index * binLength;
    const middle = from + binLength / 2;
    if (from + binLength < span.from || from > span.to) {
      continue;
    }
    const column = Math.min(Math.max(Math.floor((place(middle, span, width) / width) * columns), 0), columns - 1);
    const before = held.get(column);
    held.set(column, before === undefined ? mark(bin, column, pitch, from, from + binLength) : merge(before, bin, from + binLength));
  }
  const marks = [...held.values()].toSorted((one, other) => one.x - other.x);
  return { marks, ...stretches(marks, idle) };
}

function mark(bin: Bin, column: number, pitch: number, from: number, to: number): Mark {
  const none = { x: (column + 0.5) * pitch, span: { from, to }, index: bin.index, ...noExchanges };
  return merge(none, bin, to);
}

export const noExchanges = { ok: 0, redirect: 0, client_error: 0, server_error: 0, no_response: 0, attacks: 0, blocked: 0 };

function merge(one: Mark, bin: Bin, to: number): Mark {
  return {
    ...one,
    span: { from: one.span.from, to: Math.max(one.span.to, to) },
    ok: one.ok + (bin.ok ?? 0),
    redirect: one.redirect + (bin.redirect ?? 0),
    client_error: one.client_error + (bin.client_error ?? 0),
    server_error: one.server_error + (bin.server_error ?? 0),
    no_response: one.no_response + (bin.no_response ?? 0),
    attacks: one.attacks + (bin.attacks ?? 0),
    blocked: one.blocked + (bin.blocked ?? 0),
  };
}

function stretches(marks: readonly Mark[], idle: number): Pick<ThreadShape, "line" | "breaks"> {
  const line: Stretch[] = [];
  const breaks: Stretch[] = [];
  const [first] = marks;
  if (first === undefined) {
    return { line, breaks };
  }
  let start = first.x;
  let previous = first;
  for (const next of marks.slice(1)) {
    if (next.span.from - previous.span.to > idle) {
      line.push({ from: start, to: previous.x });
      breaks.push({ from: previous.x, to: next.x });
      start = next.x;
    }
    previous = next;
  }
  line.push({ from: start, to: previous.x });
  return { line, breaks };
}

/** How far a mark reaches from the line, 0 to 1. Grows with the logarithm, so that one exchange is still seen. */
export function reach(count: number, most: number): number {
  if (count <= 0) {
    return 0;
  }
  return most <= 1 ? 0.55 : 0.35 + 0.65 * (Math.log(count + 1) / Math.log(most + 1));
}

/** The largest number of exchanges on either side of the line at one place. */
export function mostOf(marks: readonly Mark[]): number {
  return marks.reduce((most, one) => Math.max(most, above(one), below(one)), 0);
}

export function above(bin: Bin): number {
  return (bin.ok ?? 0) + (bin.redirect ?? 0);
}

export function below(bin: Bin): number {
  return (bin.client_error ?? 0) + (bin.server_error ?? 0);
}
