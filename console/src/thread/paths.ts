// Marks as SVG path data: one path per outcome, however many exchanges.

import { above, below, type Mark, mostOf, reach } from "./geometry";

export interface ThreadPaths {
  readonly ok: string;
  readonly redirect: string;
  readonly client: string;
  readonly server: string;
  readonly none: string;
  readonly attack: string;
  readonly blocked: string;
}

export interface Box {
  /** Pixels from the top to the line. */
  readonly middle: number;
  /** Pixels that marks may reach above and below the line. */
  readonly up: number;
  readonly down: number;
  /** Width of a mark. */
  readonly stroke: number;
}

const round = (value: number): number => Math.round(value * 100) / 100;

export function paths(marks: readonly Mark[], box: Box): ThreadPaths {
  const most = mostOf(marks);
  const drawn = { ok: "", redirect: "", client: "", server: "", none: "", attack: "", blocked: "" };
  for (const one of marks) {
    const x = round(one.x);
    const up = upwards(one, most, box);
    const down = downwards(one, most, box);
    drawn.ok += stroke(x, up.base, up.joint);
    drawn.redirect += stroke(x, up.joint, up.tip);
    drawn.client += stroke(x, down.base, down.joint);
    drawn.server += down.tip > down.joint ? stroke(x, down.joint, down.tip) + foot(x, down.tip, box) : "";
    drawn.none += one.no_response > 0 ? ring(x, box) : "";
    drawn.attack += one.attacks > 0 ? flag(x, box) : "";
    drawn.blocked += one.blocked > 0 ? frame(x, up.tip, down.tip, box) : "";
  }
  return drawn;
}

/** Successes from the line up, redirects on top of them. */
function upwards(one: Mark, most: number, box: Box): { base: number; joint: number; tip: number } {
  const count = above(one);
  const tip = box.middle - reach(count, most) * box.up;
  const joint = count === 0 ? box.middle : box.middle - (box.middle - tip) * (one.ok / count);
  // A redirect alone is short: it is the least interesting thing that can happen.
  const short = one.ok === 0 ? box.middle - (box.middle - tip) * 0.6 : tip;
  return { base: box.middle, joint: round(joint), tip: round(short) };
}

/** Client errors from the line down, server errors below them. */
function downwards(one: Mark, most: number, box: Box): { base: number; joint: number; tip: number } {
  const count = below(one);
  const tip = box.middle + reach(count, most) * box.down;
  const joint = count === 0 ? box.middle : box.middle + (tip - box.middle) * (one.client_error / count);
  return { base: box.middle, joint: round(joint), tip: round(tip) };
}

function stroke(x: number, from: number, to: number): string {
  return from === to ? "" : `M${x} ${from}V${to}`;
}

/** Server errors stand on a foot. */
function foot(x: number, y: number, box: Box): string {
  const half = round(box.stroke);
  return `M${round(x - half)} ${y}H${round(x + half)}`;
}

/** An exchange without an answer is a hole in the line. */
function ring(x: number, box: Box): string {
  const radius = round(Math.min(box.down, 3));
  return `M${round(x - radius)} ${box.middle}a${radius} ${radius} 0 1 0 ${radius * 2} 0a${radius} ${radius} 0 1 0 ${-radius * 2} 0`;
}

/** An attack carries a flag that overtops everything. */
function flag(x: number, box: Box): string {
  const top = round(box.middle - box.up - 1);
  const size = Math.min(box.up * 0.35, 6);
  return `M${x} ${box.middle}V${top}l${round(size)} ${round(size / 2)}l${round(-size)} ${round(size / 2)}`;
}

/** A blocked exchange is hollow. */
function frame(x: number, top: number, bottom: number, box: Box): string {
  const half = round(box.stroke + 0.5);
  return `M${round(x - half)} ${top}H${round(x + half)}V${bottom}H${round(x - half)}Z`;
}
