// What leaves under the draft as it stands: every field with its form, and of the recent exchanges the share that has it
// and the shape of one value.

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { PolicyDocument } from "../../api/types";
import { Captured } from "../../ui/Captured";
import { bytes, exactly, plural, share } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import { Prose } from "../../ui/Prose";
import { NotKept } from "../point/NotKept";
import { recentSettings } from "../point/questions";
import setup from "../Setup.module.css";
import { Span } from "../tryout/Span";
import { FieldName } from "./FieldName";
import { FormBadge } from "./FormBadge";
import styles from "./Privacy.module.css";
import { type LeavingChange, type LeavingField, type Leaves, wouldLeave } from "./questions";
import { changeWords, type Group, inGroups, leaves } from "./words";

interface WouldLeaveProps {
  /** The draft, in the API's form. */
  readonly policy: PolicyDocument;
  /** The version that holds. */
  readonly against: number;
  /** Whether the draft differs from it. */
  readonly changed: boolean;
}

export function WouldLeave({ policy, against, changed }: WouldLeaveProps) {
  const isOn = useQuery(recentSettings).data?.on;
  const { data, error, refetch, isPlaceholderData } = useQuery(wouldLeave(policy, isOn));
  return (
    <section className={`${setup.section} ${styles.part}`} aria-labelledby="would-leave">
      <h2 id="would-leave">{changed ? "What would leave under the draft" : "What leaves"}</h2>
      {error === null ? null : (
        <ProblemNote
          what="What would leave is not known"
          error={error}
          kept={data === undefined ? undefined : "What is below was asked before."}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined ? (
        error === null ? (
          <Skeleton height={260} aria-label="Asking what leaves" />
        ) : null
      ) : (
        <div className={isPlaceholderData || error !== null ? "stale" : undefined}>
          {changed ? <Changes changes={data.changes} against={against} /> : null}
          <Sample leaving={data} isOn={isOn ?? false} onRefresh={() => void refetch()} />
          {inGroups(data.fields).map((group) => (
            <Fields key={group.key} group={group} of={data.sample.analysed} />
          ))}
          <h3 className={styles.groupTitle}>What never leaves</h3>
          <ul className={styles.never} aria-label="What never leaves">
            {data.never.map((sentence) => (
              <li key={sentence}>
                <Prose text={sentence} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Changes({ changes, against }: { readonly changes: readonly LeavingChange[]; readonly against: number }) {
  if (changes.length === 0) {
    return <p className={styles.same}>The draft lets the same fields leave as version {against}, in the same form.</p>;
  }
  return (
    <ul className={styles.changes} aria-label={`Changes against version ${against}`}>
      {changes.map((change) => (
        <li key={change.field} data-kind={change.kind}>
          <span className={styles.name}>
            <FieldName field={change.field} />
          </span>{" "}
          <span>
            <Captured text={changeWords(change)} wrap />
          </span>
        </li>
      ))}
    </ul>
  );
}

interface SampleProps {
  readonly leaving: Leaves;
  readonly isOn: boolean;
  readonly onRefresh: () => void;
}

function Sample({ leaving: { sample }, isOn, onRefresh }: SampleProps) {
  if (!isOn) {
    return (
      <div className={styles.off}>
        <NotKept>The forms below follow from the policy alone. Examples and shares need exchanges to look at.</NotKept>
      </div>
    );
  }
  const again = (
    <button type="button" className={styles.again} onClick={onRefresh}>
      Look again
    </button>
  );
  if (sample.exchanges === 0 || sample.from === null || sample.to === null) {
    return <p className={styles.quiet}>Recent exchanges are kept from now on, and there is none yet: send a request through a node. {again}</p>;
  }
  const passed = sample.exchanges - sample.analysed;
  return (
    <p className={styles.quiet}>
      Shares and examples are of {exactly(sample.analysed)} {sample.analysed === 1 ? "exchange" : "exchanges"}, seen <Span from={sample.from} to={sample.to} />
      {passed === 0 ? "" : `; ${exactly(passed)} more would not be analysed, and nothing of them leaves`}. Of values only the shape is shown.
      {sample.note === null ? null : ` ${sample.note}`} {again}
    </p>
  );
}

function Fields({ group, of }: { readonly group: Group; readonly of: number }) {
  const heading = `privacy-${group.key}`;
  return (
    <>
      <h3 id={heading} className={styles.groupTitle}>
        {group.title} <span className={styles.count}>{plural(group.fields.filter(leaves).length, "field")}</span>
      </h3>
      <div className={styles.table} role="table" aria-labelledby={heading}>
        <div className={styles.heads} role="row">
          <span role="columnheader">Field</span>
          <span role="columnheader">Form</span>
          <span role="columnheader">Example, masked</span>
          <span role="columnheader">Has it</span>
        </div>
        {group.fields.map((field) => (
          <Field key={`${field.field} ${field.form}`} field={field} of={of} />
        ))}
      </div>
    </>
  );
}

function Field({ field, of }: { readonly field: LeavingField; readonly of: number }) {
  const { form, about, point, note, example, exchanges } = field;
  const isLeaving = leaves(field);
  return (
    <div className={styles.row} role="row" data-gone={!isLeaving || undefined}>
      <span role="rowheader" className={styles.what}>
        <span className={styles.name}>
          <FieldName field={field.field} />
        </span>
        <span className={styles.about}>
          {point === null ? <Prose text={about} /> : <Captured text={point} mono wrap />}
          {note === null ? null : (
            <>
              {" "}
              <Captured text={note.replaceAll("`", "")} wrap />
            </>
          )}
        </span>
      </span>
      <span role="cell">
        <FormBadge form={form} />
      </span>
      <span role="cell" className={styles.example}>
        {example === null ? null : <Captured text={example} hashed={form === "hashed"} hover={form === "hashed" ? "the first digits of a keyed hash" : "the shape of a value"} mono />}
      </span>
      <span role="cell" className={styles.share} title={of === 0 ? undefined : `${exactly(exchanges)} of ${exactly(of)} exchanges, ${bytes(field.bytes)}`}>
        {of === 0 || !isLeaving ? null : (
          <>
            <span className={styles.track}>
              <span className={styles.fill} style={{ width: `${(exchanges / of) * 100}%` }} />
            </span>
            {share(exchanges, of)}
          </>
        )}
      </span>
    </div>
  );
}
