// The large thread: it is the way through a session. Hovering says what happened, a click opens it, dragging looks
// closer.

import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from "react";
import { dayAndTime, exactly } from "../ui/format";
import { Axis } from "./Axis";
import styles from "./BigThread.module.css";
import { type Binned, idleLimit, type Mark, momentAt, place, shape, type Span, totalOf } from "./geometry";
import { ThreadMarks } from "./Thread";

export interface BigThreadProps {
  readonly thread: Binned;
  /** What the width stands for. */
  readonly span: Span;
  /** Moments (ms) of the exchange that is open. */
  readonly openAt: number | undefined;
  readonly idle?: number;
  readonly stale: boolean;
  readonly onOpen: (mark: Mark) => void;
  readonly onZoom: (from: number, to: number) => void;
}

const height = 92;
const middle = 50.5;
const box = { middle, up: 40, down: 30, stroke: 2.5 };
/** A pointer this near to a mark means it, and moving less than this is a click. */
const near = 10;
const still = 4;

export function BigThread({ thread, span, openAt, idle = idleLimit, stale, onOpen, onZoom }: BigThreadProps) {
  const { ref, width } = useElementSize();
  const drawn = useMemo(() => shape(thread, span, width, 4, idle), [thread, span, width, idle]);
  const [pointed, setPointed] = useState<Mark | undefined>();
  const [drag, setDrag] = useState<{ readonly start: number; readonly end: number } | undefined>();
  const xOf = (event: PointerEvent<SVGSVGElement>): number => event.clientX - event.currentTarget.getBoundingClientRect().left;

  const walk = (event: KeyboardEvent): void => {
    const at = pointed === undefined ? -1 : drawn.marks.indexOf(pointed);
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      event.stopPropagation();
      const next = at === -1 ? 0 : at + (event.key === "ArrowRight" ? 1 : -1);
      setPointed(drawn.marks[Math.min(Math.max(next, 0), drawn.marks.length - 1)]);
    } else if (event.key === "Enter" && pointed !== undefined) {
      event.preventDefault();
      onOpen(pointed);
    }
  };
  const open = openAt === undefined ? undefined : place(openAt, span, width);
  return (
    <div ref={ref} className={styles.frame} data-stale={stale || undefined}>
      <svg
        className={styles.thread}
        width={width}
        height={height}
        role="slider"
        tabIndex={0}
        aria-label="The session over time; arrows walk along it, Enter opens"
        aria-valuemin={0}
        aria-valuemax={Math.max(drawn.marks.length - 1, 0)}
        aria-valuenow={pointed === undefined ? 0 : drawn.marks.indexOf(pointed)}
        aria-valuetext={pointed === undefined ? "nothing chosen" : describe(pointed)}
        onKeyDown={walk}
        onBlur={() => {
          setPointed(undefined);
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const x = xOf(event);
          setDrag({ start: x, end: x });
        }}
        onPointerMove={(event) => {
          const x = xOf(event);
          setPointed(nearest(drawn.marks, x));
          setDrag((held) => (held === undefined || event.buttons === 0 ? undefined : { ...held, end: x }));
        }}
        onPointerUp={(event) => {
          const x = xOf(event);
          if (drag !== undefined && Math.abs(drag.end - drag.start) > still) {
            onZoom(momentAt(Math.min(drag.start, drag.end), span, width), momentAt(Math.max(drag.start, drag.end), span, width));
          } else {
            const mark = nearest(drawn.marks, x);
            if (mark !== undefined) {
              onOpen(mark);
            }
          }
          setDrag(undefined);
        }}
        onPointerLeave={() => {
          setPointed(undefined);
        }}
      >
        {drag === undefined || Math.abs(drag.end - drag.start) <= still ? null : (
          <rect
            className={styles.brush}
            x={Math.min(drag.start, drag.end)}
            width={Math.abs(drag.end - drag.start)}
            y={0.5}
            height={height - 1}
          />
        )}
        {open === undefined || open < 0 || open > width ? null : (
          <path className={styles.open} d={`M${open} 2V${height - 2}M${open - 4} 2h8l-4 5z`} />
        )}
        {pointed === undefined ? null : <rect className={styles.pointed} x={pointed.x - 4} width={8} y={4} height={height - 8} rx={2} />}
        <ThreadMarks {...drawn} box={box} />
      </svg>
      <Axis span={span} width={width} />
      {pointed === undefined ? null : (
        <div className={styles.tip} style={{ left: Math.min(Math.max(pointed.x, 110), Math.max(width - 110, 110)) }}>
          {describe(pointed)}
        </div>
      )}
    </div>
  );
}

function nearest(marks: readonly Mark[], x: number): Mark | undefined {
  let best: Mark | undefined;
  for (const mark of marks) {
    if (Math.abs(mark.x - x) < Math.abs((best?.x ?? Number.POSITIVE_INFINITY) - x)) {
      best = mark;
    }
  }
  return best !== undefined && Math.abs(best.x - x) <= near ? best : undefined;
}

/** What a mark stands for, in words. */
export function describe(mark: Mark): string {
  const counts: readonly (readonly [number, string])[] = [
    [mark.ok, "2xx"],
    [mark.redirect, "3xx"],
    [mark.client_error, "4xx"],
    [mark.server_error, "5xx"],
    [mark.no_response, "no answer"],
    [mark.attacks, "attack"],
    [mark.blocked, "blocked"],
  ];
  const kinds = counts.filter(([count]) => count > 0).map(([count, name]) => (count === totalOf(mark) ? name : `${exactly(count)} ${name}`));
  const all = totalOf(mark);
  return `${dayAndTime(new Date(mark.span.from))} · ${all === 1 ? "1 exchange" : `${exactly(all)} exchanges`} · ${kinds.join(", ")}`;
}
