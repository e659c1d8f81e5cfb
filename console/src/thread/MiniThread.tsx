// A session's thread in one row of a list.

import { memo, useMemo } from "react";
import { type Binned, shape, type Span, spanOf, totalOf } from "./geometry";
import { ThreadMarks } from "./Thread";
import styles from "./Thread.module.css";

export interface MiniThreadProps {
  readonly thread: Binned;
  /** The time that the whole width stands for; the thread's own when left out. */
  readonly span?: Span | undefined;
  /** Pixels. */
  readonly width: number;
  readonly height?: number;
}

export const MiniThread = memo(function MiniThread({ thread, span, width, height = 36 }: MiniThreadProps) {
  const drawn = useMemo(() => shape(thread, span ?? spanOf(thread), width, 3), [thread, span, width]);
  const middle = Math.round(height * 0.58) + 0.5;
  const box = { middle, up: middle - 4, down: height - middle - 3, stroke: 2 };
  return (
    <svg className={styles.mini} height={height} width={width} role="img" aria-label={inWords(thread)}>
      <ThreadMarks {...drawn} box={box} />
    </svg>
  );
});

/** What the picture shows, for those who cannot see it. */
export function inWords(thread: Binned): string {
  const sum = { all: 0, client: 0, server: 0, none: 0, attacks: 0, blocked: 0 };
  for (const bin of thread.bins) {
    sum.all += totalOf(bin);
    sum.client += bin.client_error ?? 0;
    sum.server += bin.server_error ?? 0;
    sum.none += bin.no_response ?? 0;
    sum.attacks += bin.attacks ?? 0;
    sum.blocked += bin.blocked ?? 0;
  }
  const parts = [
    `${sum.all} exchanges over time`,
    sum.client > 0 ? `${sum.client} answered 4xx` : "",
    sum.server > 0 ? `${sum.server} answered 5xx or failed` : "",
    sum.none > 0 ? `${sum.none} without an answer` : "",
    sum.attacks > 0 ? `${sum.attacks} with an attack` : "",
    sum.blocked > 0 ? `${sum.blocked} blocked` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
