// A point as a breadcrumb whose steps are edited one by one. What it changes is the text spelling: there is no second
// state that could differ from it.

import { VisuallyHidden } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { Fragment, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { visible } from "../../ui/visible";
import type { SeenPoint } from "./listed";
import { StepInput } from "./StepInput";
import styles from "./Steps.module.css";
import { isWhole, readSteps, type Step, spellStep, splice } from "./steps";

export interface StepsProps {
  readonly label: string;
  readonly describedBy?: string | undefined;
  readonly value: string;
  readonly steps: readonly Step[];
  readonly points: readonly SeenPoint[];
  /** The step that cannot stand where it does. */
  readonly wrong: number | undefined;
  /** The step that finds nothing in the message. */
  readonly stopped: number | undefined;
  readonly invalid: boolean;
  readonly onChange: (value: string) => void;
}

/** The step that is edited: it is replaced, or one is put before it. */
interface Editing {
  readonly at: number;
  readonly insert: boolean;
}

export function Steps({ label, describedBy, value, steps, points, wrong, stopped, invalid, onChange }: StepsProps) {
  const [editing, setEditing] = useState<Editing | undefined>();
  const row = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLInputElement>(null);
  const hints = useId();
  /** Where the focus goes once the steps have changed. */
  const next = useRef<number | undefined>(undefined);
  const focus = (at: number): void => {
    const chip = row.current?.querySelector<HTMLElement>(`[data-step="${at}"]`);
    (chip ?? end.current)?.focus();
  };
  useEffect(() => {
    if (next.current !== undefined) {
      focus(next.current);
      next.current = undefined;
    }
  }, [value, editing]);

  const change = (from: number, to: number, text: string): void => {
    onChange(isWhole(text) ? text.trim() : splice(steps, from, to, text));
  };
  const remove = (at: number): void => {
    next.current = Math.max(0, Math.min(at, steps.length - 2));
    setEditing(undefined);
    onChange(splice(steps, at, at + 1, ""));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>, at: number): void => {
    const { key } = event;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      event.preventDefault();
      focus(key === "ArrowLeft" ? Math.max(0, at - 1) : at + 1);
    } else if (key === "Home" || key === "End") {
      event.preventDefault();
      focus(key === "Home" ? 0 : steps.length);
    } else if (key === "Backspace" || key === "Delete") {
      event.preventDefault();
      remove(at);
    } else if ((key === "+" || key === "Insert") && at > 0) {
      event.preventDefault();
      setEditing({ at, insert: true });
    }
  };
  const editor = ({ at, insert }: Editing) => (
    <StepInput
      asked
      label={insert ? `New step before step ${at + 1}` : `Step ${at + 1}`}
      placeholder="step"
      invalid={false}
      before={steps.slice(0, at)}
      points={points}
      initial={insert ? "" : spellStep(steps[at] ?? { word: "", argument: undefined })}
      onCommit={(text) => {
        next.current = at + Math.max(readSteps(text)?.length ?? 1, 1) - 1;
        setEditing(undefined);
        change(at, insert ? at : at + 1, text);
      }}
      onCancel={() => {
        if (row.current?.contains(document.activeElement) === true) {
          next.current = at;
        }
        setEditing(undefined);
      }}
      onLeave={(key) => {
        if (key === "Backspace" && !insert) {
          remove(at);
        }
      }}
    />
  );
  return (
    // The empty part of the field leads to where one types, as in any field.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events
    <div
      ref={row}
      className={styles.steps}
      role="group"
      aria-label={`${label}, step by step`}
      data-invalid={invalid || undefined}
      onClick={(event) => {
        if (event.target === event.currentTarget) {
          end.current?.focus();
        }
      }}
    >
      {steps.map((step, at) => (
        // The same step may stand twice in a point; its position tells it apart.
        <Fragment key={`${at} ${spellStep(step)}`}>
          {at === 0 ? null : (
            <button
              type="button"
              tabIndex={-1}
              className={styles.between}
              aria-label={`Insert a step before ${spellStep(step)}`}
              title="Insert a step here"
              onClick={() => {
                setEditing({ at, insert: true });
              }}
            >
              <span aria-hidden>›</span>
              <IconPlus size={11} stroke={2.4} aria-hidden />
            </button>
          )}
          {editing?.at === at && editing.insert ? (
            <>
              {editor(editing)}
              <span className={styles.separator}>›</span>
            </>
          ) : null}
          {editing?.at === at && !editing.insert ? (
            editor(editing)
          ) : (
            <span className={styles.chip} data-wrong={wrong === at || undefined} data-stopped={stopped === at || undefined}>
              <button
                type="button"
                data-step={at}
                className={styles.step}
                aria-describedby={hints}
                onKeyDown={(event) => {
                  onKeyDown(event, at);
                }}
                onClick={() => {
                  setEditing({ at, insert: false });
                }}
              >
                <bdi className={styles.word}>{visible(step.word)}</bdi>
                {step.argument === undefined ? null : <bdi className={styles.argument}>{step.argument === "" ? "“”" : visible(step.argument)}</bdi>}
                {wrong === at ? <VisuallyHidden>cannot stand here</VisuallyHidden> : null}
              </button>
              <button
                type="button"
                tabIndex={-1}
                className={styles.remove}
                aria-label={`Remove ${spellStep(step)}`}
                title="Remove this step"
                onClick={() => {
                  remove(at);
                }}
              >
                <IconX size={10} stroke={2.4} aria-hidden />
              </button>
            </span>
          )}
        </Fragment>
      ))}
      {steps.length === 0 ? null : <span className={styles.separator}>›</span>}
      <StepInput
        ref={end}
        label={label}
        describedBy={describedBy}
        placeholder={steps.length === 0 ? "request or response" : "add a step"}
        invalid={invalid}
        before={steps}
        points={points}
        onCommit={(text) => {
          change(steps.length, steps.length, text);
        }}
        onLeave={(key) => {
          if (steps.length === 0) {
            return;
          }
          if (key === "ArrowLeft") {
            focus(steps.length - 1);
          } else {
            onChange(splice(steps, steps.length - 1, steps.length, ""));
          }
        }}
      />
      <span id={hints} hidden>
        Enter edits, Backspace removes, plus inserts before it, arrows walk
      </span>
    </div>
  );
}
