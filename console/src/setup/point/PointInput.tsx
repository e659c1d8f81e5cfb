// The steps of a point, or its text spelling, and what the hub says about it.

import { Textarea } from "@mantine/core";
import { type ReactNode, useId } from "react";
import type { SeenPoint } from "./listed";
import styles from "./Point.module.css";
import { Steps } from "./Steps";
import { readSteps } from "./steps";
import { useForms, type Verdict } from "./useVerdict";

export interface PointInputProps {
  readonly label: string;
  readonly describedBy?: string | undefined;
  readonly value: string;
  readonly error: string | undefined;
  readonly verdict: Verdict;
  readonly points: readonly SeenPoint[];
  /** The step that finds nothing in the message beside it. */
  readonly stopped?: number | undefined;
  readonly asText: boolean;
  readonly onAsText: (asText: boolean) => void;
  /** Whether somebody is in the text, which must not change under their hands. */
  readonly onTyping?: (typing: boolean) => void;
  readonly onChange: (value: string) => void;
  /** What else can be done with the point. */
  readonly extra?: ReactNode;
}

export function PointInput(props: PointInputProps) {
  const { label, value, verdict, onChange } = props;
  const said = useId();
  const steps = readSteps(value);
  // What is no row of steps can only be mended as text.
  const asText = props.asText || steps === undefined;
  const wrong = verdict.error ?? undefined;
  const unfinished = useUnfinished(steps ?? [], wrong?.step);
  const reason = (unfinished ? undefined : wrong?.reason) ?? props.error ?? verdict.failed;
  const describedBy = [props.describedBy, said].filter((id) => id !== undefined).join(" ");
  return (
    <>
      {asText ? (
        <Textarea
          aria-label={label}
          aria-describedby={describedBy}
          placeholder="request > header AUTHORIZATION > bearer"
          autosize
          minRows={1}
          maxRows={6}
          spellCheck={false}
          classNames={{ input: styles.text ?? "" }}
          value={value}
          error={reason !== undefined}
          onFocus={() => {
            props.onTyping?.(true);
          }}
          onBlur={() => {
            props.onTyping?.(false);
          }}
          onChange={(event) => {
            onChange(event.currentTarget.value.replaceAll("\n", " "));
          }}
        />
      ) : (
        <Steps
          label={label}
          describedBy={describedBy}
          value={value}
          steps={steps}
          points={props.points}
          wrong={unfinished ? undefined : (wrong?.step ?? undefined)}
          stopped={props.stopped}
          invalid={reason !== undefined}
          onChange={onChange}
        />
      )}
      <div className={styles.below}>
        <p id={said} className={styles.said} data-wrong={reason !== undefined || undefined} data-stale={!verdict.current || undefined} aria-live="polite">
          {reason ?? (unfinished ? "Leads on: choose what follows." : verdict.spellings?.hashed_by_default === true ? "Credentials stand here." : "")}
        </p>
        <span className={styles.actions}>
          <button
            type="button"
            className={styles.action}
            aria-pressed={asText}
            disabled={steps === undefined}
            title={steps === undefined ? "What is written here is no row of steps yet" : undefined}
            onClick={() => {
              props.onAsText(!asText);
            }}
          >
            {asText ? "Edit step by step" : "Edit as text"}
          </button>
          {props.extra}
        </span>
      </div>
    </>
  );
}

/** Whether all is well so far and only more steps are missing. */
function useUnfinished(steps: NonNullable<ReturnType<typeof readSteps>>, wrong: number | null | undefined): boolean {
  const forms = useForms(steps);
  return steps.length > 0 && wrong === steps.length - 1 && (forms?.length ?? 0) > 0;
}
