// Why there is nothing here, and what to do next.

import type { ReactNode } from "react";
import styles from "./notes.module.css";

export interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div className={styles.empty}>
      <svg className={styles.loose} viewBox="0 0 240 40" aria-hidden="true">
        <path d="M4 20h58m116 0h58" />
        <path className={styles.end} d="M70 20c14 0 10-12 22-12s8 24 20 24 10-20 22-20 8 8 20 8" />
      </svg>
      <h2 className={styles.title}>{title}</h2>
      <div className={styles.body}>{children}</div>
    </div>
  );
}
