// A point: step by step, as text, or chosen from a message. All of it is loaded when a point is edited, not before.

import { lazy, Suspense } from "react";
import styles from "./Setup.module.css";

export interface PointFieldProps {
  /** Left out: `Point`. */
  readonly label?: string;
  /** Left out: what a point is. */
  readonly description?: string;
  readonly value: string;
  /** What the hub said when it was last saved. */
  readonly error: string | undefined;
  /** Called with what was typed, and then with the hub's spelling of it. */
  readonly onChange: (value: string) => void;
}

const PointEditor = lazy(() => import("./point/PointEditor").then((loaded) => ({ default: loaded.PointEditor })));

export function PointField(props: PointFieldProps) {
  return (
    <Suspense
      fallback={
        // As high as what takes its place.
        <div aria-busy="true" style={{ minHeight: 96 }}>
          <span className={styles.label}>{props.label ?? "Point"}</span>
          <code className={styles.point}>{props.value}</code>
        </div>
      }
    >
      <PointEditor {...props} />
    </Suspense>
  );
}
