// One exchange, opened in place.

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { exchange as exchangeQuery } from "../api/queries";
import type { ExchangeDetails } from "../api/types";
import { Captured } from "../ui/Captured";
import { bytes, exactly, took } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./Details.module.css";
import { Why } from "./Why";
import { ending } from "./words";

export interface DetailsProps {
  readonly id: string;
  /** A link to another session, at this exchange. */
  readonly sessionLink: (sessionId: string, label: ReactNode) => ReactNode;
}

export function Details({ id, sessionLink }: DetailsProps) {
  const { data, error, refetch } = useQuery(exchangeQuery(id));
  if (error !== null) {
    return <ProblemNote what="The exchange could not be loaded" error={error} onRetry={() => void refetch()} />;
  }
  if (data === undefined) {
    return (
      <div className={styles.details} aria-busy="true">
        <Skeleton height={280} />
      </div>
    );
  }
  const linked = data.request_session_id;
  return (
    <div className={styles.details}>
      <div className={styles.columns}>
        <Why exchange={data} />
        <div>
          <Parameters exchange={data} />
          {linked === null || linked === undefined ? null : (
            <section className={styles.section}>
              <h4>Journey</h4>
              <p>
                The request alone belongs to another session: the answer brought a new identity (a login or a refresh).{" "}
                {sessionLink(linked, <>Open session {linked.slice(0, 8)}</>)}
                {data.request_session_key_kind === "fallback"
                  ? ". That one is only an address and a client, perhaps shared by several people."
                  : "."}
              </p>
            </section>
          )}
          {data.parse_errors.length === 0 ? null : (
            <section className={styles.section}>
              <h4>Could not be parsed</h4>
              <ul className={styles.plain}>
                {data.parse_errors.map((note, position) => (
                  <li key={`${position} ${note.part}`}>
                    <b>{note.part}</b>: {note.parser} stopped at byte {exactly(note.offset)}, {note.reason}
                  </li>
                ))}
              </ul>
              <p className={styles.note}>Points before the damage were still read.</p>
            </section>
          )}
          <Facts exchange={data} />
        </div>
      </div>
    </div>
  );
}

function Parameters({ exchange }: { readonly exchange: ExchangeDetails }) {
  return (
    <section className={styles.section}>
      <h4>API session parameters</h4>
      {exchange.params.length === 0 ? (
        <p className={styles.note}>None of the configured parameters was found in this request or its response.</p>
      ) : (
        <table className={styles.table}>
          <tbody>
            {exchange.params.map((parameter, position) => (
              <tr key={`${position} ${parameter.name}`}>
                <th scope="row">
                  <Captured text={parameter.name} />
                  {parameter.hidden ? <span className={styles.aside}> added by a control</span> : null}
                </th>
                <td>
                  <Captured text={parameter.value} hashed={parameter.hashed} mono copy wrap />
                </td>
                <td className={styles.aside}>{parameter.origin}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Facts({ exchange }: { readonly exchange: ExchangeDetails }) {
  const text = (value: string | null | undefined): ReactNode =>
    value === null || value === undefined ? undefined : <Captured text={value} mono copy wrap />;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Started", <Moment key="at" at={exchange.ts} />],
    ["Ended", ending(exchange.outcome)],
    [
      "Took",
      exchange.duration_us === null || exchange.duration_us === undefined
        ? undefined
        : `${took(exchange.duration_us)}${exchange.upstream_us === null || exchange.upstream_us === undefined ? "" : `, upstream ${took(exchange.upstream_us)}`}`,
    ],
    ["Bodies", `${bytes(exchange.request_bytes)} sent, ${bytes(exchange.response_bytes)} answered`],
    ["Endpoint", text(exchange.endpoint)],
    ["Query", text(exchange.query)],
    ["Operation", text(exchange.operation)],
    ["Client", text(exchange.client_ip)],
    ["User agent", text(exchange.user_agent)],
    ["JA4", text(exchange.ja4)],
    ["JA3", text(exchange.ja3)],
    ["Protocol", [exchange.scheme, exchange.proto, exchange.protocol].filter((part) => part !== null && part !== undefined).join(", ")],
    ["Application", text(exchange.application)],
    ["Trace", text(exchange.trace_id)],
    ["Request ID", text(exchange.exchange_id)],
    ["Seen by", `${exchange.node} (${exchange.source})`],
  ];
  return (
    <section className={styles.section}>
      <h4>Exchange</h4>
      <dl className={styles.facts}>
        {facts
          .filter(([, value]) => value !== undefined)
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
