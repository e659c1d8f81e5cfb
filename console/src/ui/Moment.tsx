import { clockTime, dayAndTime, dayOf, inUtc } from "./format";

export interface MomentProps {
  /** RFC 3339. */
  readonly at: string;
  readonly as?: "clock" | "day" | "both";
}

/** A moment in the reader's zone; UTC on hover. */
export function Moment({ at, as = "both" }: MomentProps) {
  const date = new Date(at);
  const text = as === "clock" ? clockTime(date) : as === "day" ? dayOf(date) : dayAndTime(date);
  return (
    <time dateTime={at} title={inUtc(at)}>
      {text}
    </time>
  );
}
