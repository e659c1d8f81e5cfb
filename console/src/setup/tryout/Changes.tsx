// Exchanges that change session: from which to which, and by which key.

import { IconArrowRight } from "@tabler/icons-react";
import { useState } from "react";
import { Captured } from "../../ui/Captured";
import { exactly } from "../../ui/format";
import { Moment } from "../../ui/Moment";
import { visible } from "../../ui/visible";
import { type Example, mixed, type Tried } from "./compare";
import { RecentExchange } from "./RecentExchange";
import styles from "./TryOut.module.css";

type Session = Example["current"];

/** Rows before the rest is asked for. */
const shownFirst = 10;

export function Changes({ tried: { changes, sample, against } }: { readonly tried: Tried }) {
  const [open, setOpen] = useState<Example | undefined>();
  const { changed, compared, newly_analysed: newly, no_longer_analysed: noLonger, examples } = changes;
  const [all, setAll] = useState(false);
  const shown = all ? examples : mixed(examples, shownFirst);
  const canOpen = sample.kind === "recent";
  if (changed === 0) {
    return null;
  }
  return (
    <section className={styles.part} aria-labelledby="try-out-changes">
      <h3 id="try-out-changes">
        {exactly(changed)} of {exactly(compared)} {compared === 1 ? "exchange" : "exchanges"} {changed === 1 ? "changes" : "change"} session
      </h3>
      <p className={styles.quiet}>
        {newly + noLonger === 0 ? "" : `Of those that both analyse; ${exactly(newly)} only the draft, ${exactly(noLonger)} only version ${against}. `}
        {examples.length < changed ? `${exactly(examples.length)} of them stand here, at most 10 from one rule to one other. ` : ""}
        {canOpen ? "" : "A recording is not stored, so there is no more of them to open."}
      </p>
      <div className={styles.examples} role="table" aria-label="Exchanges that change session">
        <div className={styles.exampleHeads} role="row">
          <span role="columnheader">Time</span>
          <span role="columnheader">Exchange</span>
          <span role="columnheader">Status</span>
          <span role="columnheader">Version {against}</span>
          <span role="columnheader">Draft</span>
        </div>
        {shown.map((example) => (
          <div key={example.exchange_id} className={styles.example} role="row">
            <span className={styles.time} role="cell">
              <Moment at={example.ts} as="clock" />
            </span>
            <span className={styles.target} role="cell">
              {canOpen ? (
                <button
                  type="button"
                  onClick={() => {
                    setOpen(example);
                  }}
                >
                  <Target example={example} />
                </button>
              ) : (
                <Target example={example} />
              )}
            </span>
            <span className={styles.status} role="cell" data-class={example.status === null ? "none" : Math.floor(example.status / 100)}>
              {example.status ?? "none"}
            </span>
            <SessionCell session={example.current} />
            <SessionCell session={example.draft} then />
          </div>
        ))}
      </div>
      {examples.length <= shownFirst ? null : (
        <button
          type="button"
          className={styles.more}
          aria-expanded={all}
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? "fewer" : `${examples.length - shownFirst} more`}
        </button>
      )}
      {open === undefined ? null : (
        <RecentExchange
          example={open}
          against={against}
          onClose={() => {
            setOpen(undefined);
          }}
        />
      )}
    </section>
  );
}

function Target({ example: { method, host, path } }: { readonly example: Example }) {
  return (
    <span title={visible(`${method} ${host ?? ""}${path}`)}>
      <bdi className={styles.method}>{visible(method)}</bdi> <bdi className={styles.of}>{visible(host ?? "")}</bdi>
      <bdi>{visible(path)}</bdi>
    </span>
  );
}

/** The session's first eight digits, and the key that puts the exchange there. */
export function SessionCell({ session, then = false }: { readonly session: Session; readonly then?: boolean }) {
  return (
    <span className={styles.session} role="cell">
      {then ? <IconArrowRight size={12} aria-label="then" className={styles.arrow} /> : null}
      <SessionText session={session} />
    </span>
  );
}

export function SessionText({ session: { session_id: id, key, kind, value } }: { readonly session: Session }) {
  return (
    <span className={styles.sessionText} title={`session ${id}\n${kind === "fallback" ? "by facts of the exchange" : `keyed hash of the value ${value}`}`}>
      <code>{id.slice(0, 8)}</code> <Captured text={key} />
    </span>
  );
}
