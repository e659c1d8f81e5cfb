// One part of a session in two lines. The same markup becomes a card on a phone.

import { Badge } from "@mantine/core";
import { memo, type Ref } from "react";
import type { Count, SessionPart } from "../api/types";
import { Axis } from "../thread/Axis";
import type { Span } from "../thread/geometry";
import { MiniThread } from "../thread/MiniThread";
import { Amount } from "../ui/Amount";
import { Captured } from "../ui/Captured";
import { lastingAbout, plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { identityOf, lengthOf, withoutHost } from "./identity";
import styles from "./SessionRow.module.css";

export interface SessionRowProps {
  readonly part: SessionPart;
  readonly selected: boolean;
  /** The time scale that all rows share; undefined for the row's own. */
  readonly span: Span | undefined;
  readonly threadWidth: number;
  readonly narrow: boolean;
}

export const SessionRow = memo(function SessionRow({ part, selected, span, threadWidth, narrow }: SessionRowProps) {
  const identity = identityOf(part);
  const length = lengthOf(part);
  return (
    <div className={styles.row} data-selected={selected || undefined} data-narrow={narrow || undefined}>
      <div className={styles.when}>
        <span className={styles.first}>
          <Moment at={part.last} as="clock" />
        </span>
        <span className={styles.second}>
          <Moment at={part.last} as="day" />
          {length >= 1000 ? ` · ${lastingAbout(length)}` : ""}
        </span>
      </div>
      <div className={styles.who}>
        <span className={styles.first} data-kind={identity.kind}>
          <Captured text={identity.text} hashed={identity.hashed} mono={identity.kind !== "user"} />
          {part.role === null || part.role === undefined || narrow ? null : (
            <Badge size="xs" color="gray" className={styles.role ?? ""}>
              <Captured text={part.role} hashed={part.role_hashed} />
            </Badge>
          )}
        </span>
        <span className={styles.second}>
          {identity.detailLabel === "" || narrow ? null : (
            <>
              <Captured text={identity.detailLabel} />{" "}
            </>
          )}
          <Captured text={identity.detail} hashed={identity.detailHashed} mono={identity.detailLabel !== ""} />
        </span>
      </div>
      <div className={styles.thread}>
        {part.thread === null || part.thread === undefined ? null : (
          <MiniThread thread={part.thread} span={span} width={threadWidth} />
        )}
      </div>
      <div className={styles.amounts}>
        <span className={styles.first}>
          <Amount value={part.requests} />
          <span className={styles.unit}> req</span>
        </span>
        <span className={styles.second}>
          <Trouble part={part} />
        </span>
      </div>
      <div className={styles.where}>
        <span className={styles.first}>
          <Several counts={part.ips} total={part.ip_count} mono none="unknown address" />
        </span>
        <span className={styles.second}>
          <Several counts={part.hosts} total={part.host_count} none="unknown host" />
        </span>
      </div>
      <div className={styles.what}>
        <Endpoints part={part} />
      </div>
    </div>
  );
});

export interface SessionHeadingProps extends Pick<SessionRowProps, "narrow" | "span" | "threadWidth"> {
  readonly threadRef: Ref<HTMLDivElement>;
}

/** What the columns hold; above the threads, the time scale that they share. */
export function SessionHeading({ narrow, threadRef, span, threadWidth }: SessionHeadingProps) {
  return (
    <div className={`${styles.row} ${styles.heading}`} data-narrow={narrow || undefined} aria-hidden="true">
      <div className={styles.when}>Last seen</div>
      <div className={styles.who}>Who</div>
      <div className={styles.thread} ref={threadRef}>
        {span === undefined || threadWidth < 140 ? "Thread" : <Axis span={span} width={threadWidth} />}
      </div>
      <div className={styles.amounts}>Requests</div>
      <div className={styles.where}>From, to</div>
      <div className={styles.what}>Top endpoints</div>
    </div>
  );
}

function Trouble({ part }: { readonly part: SessionPart }) {
  if (part.attacks > 0) {
    return (
      <b className={styles.attacks}>
        {plural(part.attacks, "attack")}
        {part.blocked > 0 ? `, ${part.blocked} blocked` : ""}
      </b>
    );
  }
  if (part.blocked > 0) {
    return <b className={styles.attacks}>{part.blocked} blocked</b>;
  }
  return part.errors > 0 ? <span className={styles.errors}>{plural(part.errors, "error")}</span> : null;
}

function Several(props: { readonly counts: readonly Count[]; readonly total: number; readonly mono?: boolean; readonly none: string }) {
  const known = props.counts.filter((count) => count.value !== null && count.value !== undefined);
  const [most] = known;
  if (most?.value === null || most?.value === undefined) {
    return <span className={styles.unknown}>{props.none}</span>;
  }
  return (
    <>
      <Captured text={most.value} mono={props.mono ?? false} />
      {props.total > 1 ? <span className={styles.plus}>+{props.total - 1}</span> : null}
    </>
  );
}

function Endpoints({ part }: { readonly part: SessionPart }) {
  const [first, second] = part.endpoints;
  return (
    <>
      <span className={styles.first}>
        <EndpointCount count={first} />
      </span>
      <span className={styles.second}>
        <EndpointCount count={second} />
        {part.endpoint_count > 2 ? <span className={styles.plus}>+{part.endpoint_count - 2}</span> : null}
      </span>
    </>
  );
}

function EndpointCount({ count }: { readonly count: Count | undefined }) {
  if (count?.value === null || count?.value === undefined) {
    return null;
  }
  return (
    <>
      <Captured text={withoutHost(count.value)} hover={count.value} mono />
      <span className={styles.times}>
        ×<Amount value={count.exchanges} />
      </span>
    </>
  );
}
