// What the point finds in the message: its values, or the step where it went astray and what stands there.

import { Captured } from "../../ui/Captured";
import { bytes, plural } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import styles from "./Point.module.css";
import type { PointValue, Preview } from "./questions";
import { type Step, spellStep } from "./steps";

export interface OutcomeProps {
  /** Undefined where there is no whole point, or no message. */
  readonly preview: Preview | undefined;
  readonly stale: boolean;
  readonly error: unknown;
  readonly steps: readonly Step[];
  /** A name that stands where the point stopped. */
  readonly onName: (at: number, name: string) => void;
}

const valuesShown = 8;

export function Outcome({ preview, stale, error, steps, onName }: OutcomeProps) {
  if (preview === undefined) {
    return (
      <div className={styles.outcome} role="status">
        {error === null || error === undefined ? (
          <p className={styles.quiet}>Once the point leads to a value, what it finds in this message stands here.</p>
        ) : (
          <ProblemNote what="The point could not be tried out" error={error} />
        )}
      </div>
    );
  }
  const { values, stop } = preview;
  const stopped = stop === null ? undefined : steps[stop.step];
  return (
    <div className={styles.outcome} role="status" data-stale={stale || undefined} data-stopped={stop !== null || undefined}>
      {values.length > 0 ? (
        <>
          <p className={styles.verdict}>Finds {values.length === 1 ? "this value" : plural(values.length, "value")}</p>
          <ul className={styles.values}>
            {values.slice(0, valuesShown).map((value, position) => (
              // Values have no identity of their own; their order is the message's.
              // oxlint-disable-next-line react/no-array-index-key -- as said
              <li key={position}>
                <Value value={value} />
              </li>
            ))}
          </ul>
          {values.length > valuesShown ? <p className={styles.quiet}>and {values.length - valuesShown} more</p> : null}
          {preview.selections.some((selection) => !selection.exact) ? <p className={styles.quiet}>Decoded out of what is marked with dashes.</p> : null}
        </>
      ) : null}
      {stop === null ? null : (
        <>
          <p className={styles.verdict}>
            Finds nothing: stops at step {stop.step + 1}
            {stopped === undefined ? "" : ", "}
            {stopped === undefined ? null : <Captured text={spellStep(stopped)} mono wrap />}
          </p>
          <p className={styles.reason}>{capital(stop.reason)}.</p>
          {stop.names.length === 0 ? null : (
            <p className={styles.names}>
              <span className={styles.quiet}>There:</span>
              {stop.names.map((name) => (
                <button
                  key={name}
                  type="button"
                  className={styles.nameThere}
                  onClick={() => {
                    onName(stop.step, name);
                  }}
                >
                  <Captured text={name} mono />
                </button>
              ))}
              {stop.count > 0 ? <span className={styles.quiet}>and {stop.count} more</span> : null}
            </p>
          )}
        </>
      )}
      {values.length === 0 && stop === null ? <p className={styles.verdict}>{capital(preview.found.replaceAll("_", " "))}: there is no value to show.</p> : null}
      {preview.parse_errors.map((fault) => (
        <p className={styles.quiet} key={`${fault.part} ${fault.parser} ${fault.offset}`}>
          In the {fault.part}, {fault.parser} stopped at byte {fault.offset}: {fault.reason}.
        </p>
      ))}
    </div>
  );
}

function Value({ value }: { readonly value: PointValue }) {
  const { text } = value.content;
  return (
    <>
      {text === null ? (
        <span className={styles.quiet}>no text: base64 <Captured text={value.content.base64?.slice(0, 200) ?? ""} mono wrap copy /></span>
      ) : text === "" ? (
        <span className={styles.quiet}>an empty value</span>
      ) : (
        <span className={styles.value}>
          <Captured text={text.slice(0, 2000)} mono wrap copy />
        </span>
      )}
      <span className={styles.size}>{value.cut || (text?.length ?? 0) > 2000 ? `beginning of ${bytes(value.bytes)}` : bytes(value.bytes)}</span>
    </>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
