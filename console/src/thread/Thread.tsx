// The drawing that both sizes of a thread share: marks, line and breaks. Knows nothing of sessions.

import { memo } from "react";
import type { Mark, Stretch } from "./geometry";
import { type Box, paths } from "./paths";
import styles from "./Thread.module.css";

export interface ThreadMarksProps {
  readonly marks: readonly Mark[];
  readonly line: readonly Stretch[];
  readonly breaks: readonly Stretch[];
  readonly box: Box;
}

export const ThreadMarks = memo(function ThreadMarks({ marks, line, breaks, box }: ThreadMarksProps) {
  const drawn = paths(marks, box);
  const y = box.middle;
  return (
    <g strokeWidth={box.stroke} fill="none">
      <path className={styles.line} d={line.map(({ from, to }) => `M${from - 3} ${y}H${to + 3}`).join("")} />
      <path className={styles.gap} d={breaks.map(({ from, to }) => `M${from + 5} ${y}H${to - 5}`).join("")} />
      <path
        className={styles.line}
        d={breaks.map(({ from, to }) => slash(from + 4, y) + slash(to - 4, y)).join("")}
      />
      <path className={styles.redirect} d={drawn.redirect} />
      <path className={styles.ok} d={drawn.ok} />
      <path className={styles.client} d={drawn.client} />
      <path className={styles.server} d={drawn.server} />
      <path className={styles.none} d={drawn.none} />
      <path className={styles.blocked} d={drawn.blocked} />
      <path className={styles.attack} d={drawn.attack} />
    </g>
  );
});

function slash(x: number, y: number): string {
  return `M${x - 1} ${y + 3}L${x + 1} ${y - 3}`;
}
