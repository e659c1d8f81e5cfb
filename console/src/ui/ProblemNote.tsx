// What failed, whose fault it is, what was kept.

import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { asProblem, type Fault } from "../api/problem";
import styles from "./notes.module.css";

const blame: Readonly<Record<Fault, string>> = {
  request: "The request was refused; nothing was changed.",
  "sign-in": "Your sign-in has ended.",
  hub: "This is a fault of the hub, not of what you asked. Its log has the details.",
  connection: "Nothing was changed.",
};

export interface ProblemNoteProps {
  /** What was being done: `The sessions could not be loaded`. */
  readonly what: string;
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  /** What is still on screen although loading failed. */
  readonly kept?: string | undefined;
}

export function ProblemNote({ what, error, onRetry, kept }: ProblemNoteProps) {
  const problem = asProblem(error);
  return (
    <div className={styles.problem} role="alert">
      <IconAlertTriangle size={18} aria-hidden className={styles.icon} />
      <div>
        <p className={styles.what}>
          {what}: {problem.title}
        </p>
        {problem.errors.length === 0 ? (
          <p>{problem.message}</p>
        ) : (
          <ul className={styles.fields}>
            {problem.errors.map(({ field, reason }) => (
              <li key={`${field} ${reason}`}>
                <code>{field}</code>: {reason}
              </li>
            ))}
          </ul>
        )}
        <p className={styles.aside}>
          {blame[problem.fault]}
          {kept === undefined ? "" : ` ${kept}`}
        </p>
      </div>
      {onRetry === undefined ? null : (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
