// The figures of both policies side by side.

import type { ReactNode } from "react";
import { exactly } from "../../ui/format";
import { type Change, changeOfCount, changeOfSpread, halves, type Spread, type Tried } from "./compare";
import { Difference } from "./Difference";
import { Rules } from "./Rules";
import styles from "./TryOut.module.css";

export function Figures({ tried: { against, current, draft, sample } }: { readonly tried: Tried }) {
  const count = (what: string, of: ReactNode, now: number, then: number) => (
    <Line what={what} of={of} current={exactly(now)} draft={exactly(then)} change={changeOfCount(now, then)} />
  );
  const spread = (what: string, of: string, now: Spread, then: Spread) => (
    <Line
      what={what}
      of=""
      current={<SpreadText spread={now} of={of} />}
      draft={<SpreadText spread={then} of={of} />}
      change={now.of === 0 && then.of === 0 ? { way: "other", words: "no address known" } : changeOfSpread(now, then)}
    />
  );
  return (
    <div className={styles.table} role="table" aria-label="Both policies side by side">
      <Heads against={against} ofCurrent={current.analysed} ofDraft={draft.analysed} what="Who decides, share of the exchanges" />
      <Rules current={current.rules} draft={draft.rules} ofCurrent={current.analysed} ofDraft={draft.analysed} />
      <div className={styles.gap} role="presentation" />
      {count("Sessions", "", current.sessions, draft.sessions)}
      {count("Largest session", "its exchanges", current.largest_session, draft.largest_session)}
      {count("Sessions of one exchange", "", current.single_sessions, draft.single_sessions)}
      {spread("Addresses of a session", "sessions with a known address", current.addresses_of_session, draft.addresses_of_session)}
      {spread("Sessions of an address", "addresses", current.sessions_of_address, draft.sessions_of_address)}
      {current.passed_by === 0 && draft.passed_by === 0
        ? null
        : count("Left out of the analysis", `of ${exactly(sample.exchanges)}`, current.passed_by, draft.passed_by)}
      {current.uncertain === 0 && draft.uncertain === 0
        ? null
        : count("Uncertain", "parts damaged or missing", current.uncertain, draft.uncertain)}
    </div>
  );
}

export interface HeadsProps {
  readonly against: number;
  readonly what: string;
  readonly ofCurrent: number;
  /** Undefined where nothing can be told of the draft. */
  readonly ofDraft: number | undefined;
}

export function Heads({ against, what, ofCurrent, ofDraft }: HeadsProps) {
  const of = (count: number): string => `of ${exactly(count)} ${count === 1 ? "exchange" : "exchanges"}`;
  return (
    <div className={styles.heads} role="row">
      <span role="columnheader">{what}</span>
      <span role="columnheader">
        <b>Version {against}</b> {of(ofCurrent)}
      </span>
      {ofDraft === undefined ? null : (
        <>
          <span role="columnheader">
            <b>Draft</b> {of(ofDraft)}
          </span>
          <span role="columnheader">Difference</span>
        </>
      )}
    </div>
  );
}

interface LineProps {
  readonly what: string;
  readonly of: ReactNode;
  readonly current: ReactNode;
  readonly draft: ReactNode;
  readonly change: Change;
}

function Line({ what, of, current, draft, change }: LineProps) {
  return (
    <div className={styles.row} role="row">
      <span className={styles.what} role="rowheader">
        {what} <span className={styles.of}>{of}</span>
      </span>
      <span className={styles.figure} role="cell" data-side="current">
        {current}
      </span>
      <span className={styles.figure} role="cell" data-side="draft">
        {draft}
      </span>
      <Difference change={change} />
    </div>
  );
}

function SpreadText({ spread: { of, median, most }, of: what }: { readonly spread: Spread; readonly of: string }) {
  if (of === 0) {
    return <span className={styles.missing}>none known</span>;
  }
  return (
    <span title={`of ${exactly(of)} ${what}`}>
      <span className={styles.of}>median</span> {halves(median)}<span className={styles.of}>, most</span> {exactly(most)} <span className={styles.of}>of {exactly(of)}</span>
    </span>
  );
}
