// Who, why, when, from where; and what can be done with the session.

import { ActionIcon, Badge, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconArrowsDiagonal, IconArrowsDiagonalMinimize2, IconCheck, IconEraser, IconLink, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { SessionSummary } from "../api/types";
import { clientName, identityOf, lengthOf } from "../sessions/identity";
import { Captured } from "../ui/Captured";
import { Download } from "../ui/Download";
import { abbreviate, lasting, plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import styles from "./SessionView.module.css";

export interface SessionHeaderProps {
  readonly summary: SessionSummary;
  /** The session's days, newest first, when there are several. */
  readonly days: readonly { readonly day: string; readonly requests: number }[];
  readonly day: string | undefined;
  readonly onDay: (day: string | undefined) => void;
  readonly full: boolean;
  /** Undefined where there is no room beside a list. */
  readonly onFull: (() => void) | undefined;
  readonly onClose: () => void;
  /** Undefined for whom the hub would refuse. */
  readonly onPurge: (() => void) | undefined;
  /** Where the exchanges are to be had as a file. */
  readonly download: string;
  readonly sessionLink: (sessionId: string, label: ReactNode) => ReactNode;
}

export function SessionHeader({ summary, days, day, onDay, full, onFull, onClose, onPurge, download, sessionLink }: SessionHeaderProps) {
  const { whole } = summary;
  const identity = identityOf(whole);
  return (
    <header className={styles.header}>
      <div className={styles.identity}>
        <h2 className={styles.name}>
          <Captured text={identity.text} hashed={identity.hashed} mono={identity.kind !== "user"} copy />
          {whole.role === null || whole.role === undefined ? null : (
            <Badge color="gray" className={styles.role ?? ""}>
              <Captured text={whole.role} hashed={whole.role_hashed} />
            </Badge>
          )}
        </h2>
        <Actions full={full} onFull={onFull} onClose={onClose} onPurge={onPurge} download={download} />
      </div>
      <p className={styles.line}>
        <Reason summary={summary} />
      </p>
      <p className={styles.line}>
        <Moment at={whole.first} />
        {lengthOf(whole) < 1000 ? null : (
          <>
            {" – "}
            <Moment at={whole.last} as={whole.first.slice(0, 10) === whole.last.slice(0, 10) ? "clock" : "both"} />
            {`, ${lasting(lengthOf(whole))}`}
          </>
        )}
        {summary.gaps.length > 0 ? ` in ${plural(summary.gaps.length + 1, "visit")}` : ""}
        {" · "}
        <b>{plural(whole.requests, "request")}</b>
        {whole.errors > 0 ? <b className={styles.errors}> · {plural(whole.errors, "error")}</b> : null}
        {whole.attacks > 0 ? <b className={styles.attacks}> · {plural(whole.attacks, "attack")}</b> : null}
        {whole.blocked > 0 ? <b className={styles.attacks}> · {abbreviate(whole.blocked)} blocked</b> : null}
      </p>
      <p className={styles.line}>
        <Captured text={clientName(whole.user_agent)} />
        {" from "}
        {whole.ips.flatMap((ip, position) =>
          ip.value === null || ip.value === undefined
            ? []
            : [<span key={ip.value}>{position > 0 ? ", " : ""}<Captured text={ip.value} mono copy /></span>],
        )}
        {whole.ip_count > whole.ips.length ? ` and ${plural(whole.ip_count - whole.ips.length, "more address", "more addresses")}` : ""}
        {" · session "}
        <Captured text={summary.session_id} mono copy />
      </p>
      {days.length > 1 ? (
        <div className={styles.days} role="group" aria-label="Days of this session (UTC)">
          <DayButton label={`all ${days.length} days`} pressed={day === undefined} onClick={() => { onDay(undefined); }} />
          {days.map((one) => (
            <DayButton
              key={one.day}
              label={`${one.day} · ${abbreviate(one.requests)}`}
              pressed={day === one.day}
              onClick={() => {
                onDay(one.day);
              }}
            />
          ))}
        </div>
      ) : null}
      {summary.links.length > 0 ? <Journey summary={summary} sessionLink={sessionLink} /> : null}
    </header>
  );
}

function Reason({ summary: { whole } }: { readonly summary: SessionSummary }) {
  const value = <Captured text={whole.key_value} hashed={whole.key_value_hashed} mono copy />;
  const key = (
    <b>
      <Captured text={whole.key} />
    </b>
  );
  if (whole.key_kind === "configured") {
    return <>Grouped by your key {key}: {value}</>;
  }
  return whole.key_kind === "builtin" ? (
    <>Grouped by the built-in set, {key}: {value}</>
  ) : (
    <>Nothing identified it, so it stands on {key}; several people may share it</>
  );
}

function Journey({ summary, sessionLink }: Pick<SessionHeaderProps, "summary" | "sessionLink">) {
  return (
    <ul className={styles.journey} aria-label="Linked sessions">
      {summary.links.map((link) => {
        const onwards = link.from === summary.session_id;
        const other = onwards ? link.to : link.from;
        return (
          <li key={`${link.from} ${link.to}`}>
            <span aria-hidden="true">{onwards ? "⟶" : "⟵"}</span>{" "}
            {onwards ? "continues as" : "came from"} {sessionLink(other, other.slice(0, 8))} at <Moment at={link.ts} />
            {link.exchanges > 1 ? `, ${plural(link.exchanges, "exchange")}` : ""}
            {link.from_fallback ? (onwards ? " (this one may be shared)" : " (an address and client, perhaps shared)") : ""}
          </li>
        );
      })}
    </ul>
  );
}

function DayButton({ label, pressed, onClick }: { readonly label: string; readonly pressed: boolean; readonly onClick: () => void }) {
  return (
    <button type="button" className={styles.day} aria-pressed={pressed} onClick={onClick}>
      {label}
    </button>
  );
}

function Actions({ full, onFull, onClose, onPurge, download }: Pick<SessionHeaderProps, "full" | "onFull" | "onClose" | "onPurge" | "download">) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <div className={styles.actions}>
      <Tooltip label={clipboard.copied ? "Copied" : "Copy a link to exactly this view"}>
        <ActionIcon
          aria-label={clipboard.copied ? "Link copied" : "Copy link"}
          onClick={() => {
            clipboard.copy(window.location.href);
          }}
        >
          {clipboard.copied ? <IconCheck size={17} /> : <IconLink size={17} />}
        </ActionIcon>
      </Tooltip>
      <Download href={download} label="Download these exchanges as CSV" />
      {onPurge === undefined ? null : (
        <Tooltip label="Purge this session or its user…">
          <ActionIcon aria-label="Purge…" onClick={onPurge}>
            <IconEraser size={17} />
          </ActionIcon>
        </Tooltip>
      )}
      {onFull === undefined ? null : (
        <Tooltip label={full ? "Beside the list" : "Fill the page"}>
          <ActionIcon aria-label={full ? "Show beside the list" : "Fill the page"} onClick={onFull}>
            {full ? <IconArrowsDiagonalMinimize2 size={17} /> : <IconArrowsDiagonal size={17} />}
          </ActionIcon>
        </Tooltip>
      )}
      <Tooltip label="Close (Esc)">
        <ActionIcon aria-label="Close the session" onClick={onClose}>
          <IconX size={17} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
