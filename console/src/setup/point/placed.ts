// A message as parts with their text, and each part cut where points and selections begin and end.

import { decode, type DecodedBytes, units } from "./bytes";
import type { SeenPoint } from "./listed";
import type { Messages, Selection } from "./questions";
import { keysOf } from "./steps";

export interface Part {
  /** `request body`, `response header 3`. */
  readonly key: string;
  readonly side: string;
  readonly part: string;
  readonly header: number | null;
  /** The name of a header. */
  readonly name: string | undefined;
  readonly bytes: DecodedBytes;
}

export interface Side {
  readonly side: "request" | "response";
  /** Method, target, version; or version and status. */
  readonly line: readonly Part[];
  /** Where the request went, which need not stand in its headers. */
  readonly host: Part | undefined;
  readonly headers: readonly Part[];
  readonly body: Part;
  readonly extent: string;
}

type Content = Parameters<typeof decode>[0];

/** Both messages as they stand on the wire, top to bottom. */
export function readSides({ request, response }: Messages): readonly Side[] {
  const text = (value: string): Content => ({ text: value, base64: null });
  const part = (side: string, name: string, content: Content): Part => ({
    key: `${side} ${name}`,
    side,
    part: name,
    header: null,
    name: undefined,
    bytes: decode(content),
  });
  const headers = (side: string, list: Messages["request"]["headers"]): readonly Part[] =>
    list.map(({ name, value }, position) => ({ ...part(side, "header", value), key: `${side} header ${position}`, header: position, name }));
  const version = (side: string, known: string | null): readonly Part[] => (known === null ? [] : [part(side, "version", text(known))]);
  const sides: Side[] = [
    {
      side: "request",
      line: [part("request", "method", request.method), part("request", "target", request.target), ...version("request", request.version)],
      host: request.host === null ? undefined : part("request", "host", request.host),
      headers: headers("request", request.headers),
      body: part("request", "body", request.body.content),
      extent: request.body.extent,
    },
  ];
  if (response !== null) {
    sides.push({
      side: "response",
      line: [...version("response", response.version), part("response", "status", text(String(response.status)))],
      host: undefined,
      headers: headers("response", response.headers),
      body: part("response", "body", response.body.content),
      extent: response.body.extent,
    });
  }
  return sides;
}

function isOf(part: Part, selection: Selection): boolean {
  return part.side === selection.side && part.part === selection.part && part.header === selection.header;
}

export interface Segment {
  readonly from: number;
  readonly to: number;
  /** The innermost point that contains it. */
  readonly point: SeenPoint | undefined;
  /** It is all of that point's value: nothing of its own lies within. */
  readonly whole: boolean;
  /** What is selected here: the value itself, or what it was decoded out of. */
  readonly selected: "exactly" | "decoded" | undefined;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The points whose values stand in a part, outermost first; of equal ones the shortest last. */
export function placedIn(part: Part, points: readonly SeenPoint[]): readonly (Range & { readonly point: SeenPoint })[] {
  const placed = points.flatMap((point) => {
    const { selection } = point.listed;
    if (selection === null) {
      // A status is a number where it is listed, so it has no place; the whole part is it.
      const [side, first] = point.steps;
      return part.part === "status" && side?.word === part.side && first?.word === "status" ? [{ from: 0, to: part.bytes.text.length, point }] : [];
    }
    return isOf(part, selection) && selection.exact ? [{ ...units(part.bytes, selection.start, selection.end), point }] : [];
  });
  return placed.toReversed().toSorted((one, other) => other.to - other.from - (one.to - one.from) || other.point.steps.length - one.point.steps.length);
}

/** The part cut into pieces that are wholly in or out of every point and selection. */
export function segments(part: Part, points: readonly SeenPoint[], selections: readonly Selection[]): readonly Segment[] {
  const placed = placedIn(part, points);
  const marked = selections.filter((selection) => isOf(part, selection)).map(({ start, end, exact }) => ({ ...units(part.bytes, start, end), exact }));
  const { length } = part.bytes.text;
  const cuts = new Set([0, length]);
  for (const { from, to } of [...placed, ...marked]) {
    cuts.add(from).add(to);
  }
  const ends = [...cuts].toSorted((one, other) => one - other);
  const positions = new Map(ends.map((cut, position) => [cut, position]));
  const made = ends.slice(0, -1).map((from, position): { -readonly [K in keyof Segment]: Segment[K] } => ({
    from,
    to: ends[position + 1] ?? length,
    point: undefined,
    whole: false,
    selected: undefined,
  }));
  const paint = ({ from, to }: Range, how: (segment: (typeof made)[number]) => void): void => {
    for (const segment of made.slice(positions.get(from) ?? 0, positions.get(to) ?? 0)) {
      how(segment);
    }
  };
  // Outermost first, so that what lies within paints over it.
  for (const range of placed) {
    paint(range, (segment) => {
      segment.point = range.point;
      segment.whole = segment.from === range.from && segment.to === range.to;
    });
  }
  for (const range of marked.toSorted((one, other) => Number(one.exact) - Number(other.exact))) {
    paint(range, (segment) => {
      segment.selected = range.exact ? "exactly" : "decoded";
    });
  }
  return made;
}

export interface Here {
  /** The points whose values contain a place, innermost first. */
  readonly around: readonly SeenPoint[];
  /** What can be decoded out of the innermost one, or out of the part where that is the whole of it. */
  readonly decoded: readonly SeenPoint[];
}

/** What a click into a segment may have meant. */
export function pointsAt(part: Part, { from, to }: Range, points: readonly SeenPoint[]): Here {
  const around = placedIn(part, points)
    .filter((range) => range.from <= from && to <= range.to)
    .map((range) => range.point)
    .toReversed();
  const innermost = around[0];
  const whole = innermost === undefined || innermost.steps.length <= 2;
  const standing = new Map(points.filter(({ listed }) => listed.selection?.exact === true).map((point) => [keysOf(point.steps), point]));
  const shortest = new Map<string, SeenPoint>();
  for (const point of points) {
    const { listed, steps } = point;
    if (listed.selection !== null || !isFrom(part, steps)) {
      continue;
    }
    const source = nearest(steps, standing);
    // The whole body contains all that lies in it, which says nothing about the place.
    const here = source === undefined || (part.part === "body" && source.steps.length <= 2) ? whole : around.includes(source);
    const same = JSON.stringify([steps.at(-1), listed.value?.content]);
    if (here && steps.length < (shortest.get(same)?.steps.length ?? Number.POSITIVE_INFINITY)) {
      shortest.set(same, point);
    }
  }
  return { around, decoded: [...shortest.values()] };
}

/** The longest point before this one whose value stands in the message as it is. */
function nearest(steps: SeenPoint["steps"], standing: ReadonlyMap<string, SeenPoint>): SeenPoint | undefined {
  for (let length = steps.length - 1; length > 1; length -= 1) {
    const found = standing.get(keysOf(steps.slice(0, length)));
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

const ofTarget = new Set(["uri", "query", "path", "action_name", "action_ext"]);

/** Whether a point reads this part. */
function isFrom(part: Part, [side, first]: SeenPoint["steps"]): boolean {
  if (side?.word !== part.side || first === undefined) {
    return false;
  }
  switch (part.part) {
    case "target":
      return ofTarget.has(first.word);
    case "header":
      return first.word === "header" && first.argument?.toLowerCase() === part.name?.toLowerCase();
    default:
      return first.word === part.part;
  }
}
