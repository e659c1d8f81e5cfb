// Round times in the reader's zone below a thread.

import { dayOf, clockTime, minuteTime } from "../ui/format";
import styles from "./BigThread.module.css";
import type { Span } from "./geometry";
import { timeTicks } from "./ticks";

export function Axis({ span, width }: { readonly span: Span; readonly width: number }) {
  const { step, moments } = timeTicks(span.from, span.to, Math.max(Math.floor(width / 90), 2));
  return (
    <svg className={styles.axis} width={width} height={18} aria-hidden="true">
      {moments.map((moment) => {
        const x = ((moment - span.from) / Math.max(span.to - span.from, 1)) * width;
        const date = new Date(moment);
        const midnight = date.getHours() === 0 && date.getMinutes() === 0;
        const label = midnight ? dayOf(date) : step < 60_000 ? clockTime(date) : minuteTime(date);
        return x < 24 || x > width - 24 ? null : (
          <g key={moment}>
            <path d={`M${x} 0v4`} />
            <text x={x} y={15}>
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
