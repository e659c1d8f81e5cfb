import { clockTime } from "../../ui/format";
import { Moment } from "../../ui/Moment";

/** From when to when: the day only where it is not today's, and once where it is the same. */
export function Span({ from, to }: { readonly from: string; readonly to: string }) {
  const [first, last] = [new Date(from), new Date(to)];
  const today = new Date().toDateString();
  const sameDay = first.toDateString() === last.toDateString();
  const sameSecond = sameDay && clockTime(first) === clockTime(last);
  const isToday = sameDay && first.toDateString() === today;
  return (
    <span>
      <Moment at={from} as={isToday ? "clock" : "both"} />
      {sameSecond ? null : (
        <>
          –<Moment at={to} as={sameDay ? "clock" : "both"} />
        </>
      )}
    </span>
  );
}
