// What came of a try-out: the sentence, what to worry about, the figures side by side, what changes session, and shares
// over what is stored. Every figure says what it stands on.

import { IconAlertTriangle } from "@tabler/icons-react";
import { warningTitle } from "../../keys/words";
import { Captured } from "../../ui/Captured";
import { exactly } from "../../ui/format";
import { Moment } from "../../ui/Moment";
import { Prose } from "../../ui/Prose";
import { visible } from "../../ui/visible";
import { Changes } from "./Changes";
import { type Tried, verdictOf, type Warning, worries } from "./compare";
import { Figures } from "./Figures";
import { Span } from "./Span";
import { Stored } from "./Stored";
import styles from "./TryOut.module.css";
import type { Answered } from "./useTrying";

export interface ResultProps {
  readonly answered: Answered;
  /** Why it no longer says what it seems to; undefined while it does. */
  readonly stale: string | undefined;
}

export function Result({ answered: { tried, file }, stale }: ResultProps) {
  const verdict = verdictOf(tried);
  const { stored } = tried;
  return (
    <section className={styles.result} aria-label="What came of it">
      {stale === undefined || stale === "" ? null : (
        <p className={styles.outdated} role="status">
          {stale}
        </p>
      )}
      <div className={styles.said} data-stale={stale === undefined ? undefined : true}>
        <h3 className={styles.verdict} data-kind={verdict.kind}>
          {verdict.words}
        </h3>
        <Sample tried={tried} file={file} />
        <Worries warnings={tried.warnings} against={tried.against} />
        {verdict.kind === "nothing" ? null : (
          <>
            <Figures tried={tried} />
            <Changes tried={tried} />
          </>
        )}
        {stored === null || stored === undefined ? null : <Stored stored={stored} against={tried.against} />}
      </div>
    </section>
  );
}

function Sample({ tried: { sample }, file }: { readonly tried: Tried; readonly file: string | undefined }) {
  const { exchanges, from, to, kept_since: keptSince, note } = sample;
  return (
    <p className={styles.sample}>
      Of {exactly(exchanges)} {exchanges === 1 ? "exchange" : "exchanges"}
      {file === undefined ? "" : " in "}
      {file === undefined ? null : <bdi>{visible(file)}</bdi>}
      {from === null || to === null ? null : (
        <>
          , {file === undefined ? "seen" : "recorded"} <Span from={from} to={to} />
        </>
      )}
      {keptSince === null ? null : (
        <>
          ; kept since <Moment at={keptSince} as={new Date(keptSince).toDateString() === new Date().toDateString() ? "clock" : "both"} />
        </>
      )}
      .{note === null ? null : (
        <>
          {" "}
          <Prose text={note} />
        </>
      )}
    </p>
  );
}

function Worries({ warnings, against }: { readonly warnings: readonly Warning[]; readonly against: number }) {
  const list = worries(warnings);
  if (list.length === 0) {
    return null;
  }
  const whose = { draft: "New in the draft", both: `Draft and version ${against}`, current: `Only version ${against}` } as const;
  return (
    <ul className={styles.worries} aria-label="Warnings">
      {list.map(({ key, kind, where, reason, before }) => (
        <li key={`${where} ${kind} ${key}`} data-where={where}>
          <IconAlertTriangle size={15} aria-hidden />
          <span className={styles.whose}>{whose[where]}</span>
          <span>
            <b className={styles.keyName}>
              <Captured text={key} wrap />
            </b>{" "}
            <b>{warningTitle(kind)}</b> {reason}.
            {before === undefined ? null : (
              <span className={styles.of}>
                {" "}
                In version {against}: {before}.
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
