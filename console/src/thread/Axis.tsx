// Round times in the reader's zone below a thread.

import { axisTime } from "../ui/format";
import styles from "./BigThread.module.css";
import type { Span } from "./geometry";
import { timeTicks } from "./ticks";

export function Axis({ span, width }: { readonly span: Span; readonly width: number }) {
  const { step, moments } = timeTicks(span.from, span.to, Math.max(Math.floor(width / 90), 2));
  return (
    <svg className={styles.axis} width={width} height={18} aria-hidden="true">
      {moments.map((moment) => {
        const x = ((moment - span.from) / Math.max(span.to - span.from, 1)) * width;
        return x < 24 || x > width - 24 ? null : (
          <g key={moment}>
            <path d={`M${x} 0v4`} />
            <text x={x} y={15}>
              {axisTime(new Date(moment), step)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
