// One rule: its share over time, for whom it decides, and what became of it where it did not.

import { IconAlertTriangle } from "@tabler/icons-react";
import type { KeyReport, KeyReportList } from "../api/types";
import { Amount } from "../ui/Amount";
import { Captured } from "../ui/Captured";
import { exactly, share } from "../ui/format";
import type { Mark } from "../ui/Histogram";
import { outcomeWords, warningTitle } from "./words";
import styles from "./Keys.module.css";

export interface KeyRowProps {
  readonly report: KeyReport;
  readonly health: KeyReportList;
  /** Its place among the keys; left out where there is no order. */
  readonly number: number | undefined;
  /** When the policy changed. */
  readonly marks: readonly Mark[];
}

export function KeyRow({ report, health, number, marks }: KeyRowProps) {
  const { warnings, outcomes } = report;
  const tried = outcomes.reduce((sum, { exchanges }) => sum + exchanges, 0);
  return (
    <li className={styles.key} data-warned={warnings.length > 0 || undefined}>
      <span className={styles.number} aria-hidden="true">
        {number ?? ""}
      </span>
      <div className={styles.what}>
        <b className={styles.name}>
          <Captured text={report.key} />
        </b>
        <span className={styles.aside}>
          {report.exchanges === 0 ? (
            "decided nothing in this time"
          ) : (
            <>
              <Amount value={report.sessions} /> {report.sessions === 1 ? "session" : "sessions"}, {about(report.mean_session)} requests each
            </>
          )}
        </span>
      </div>
      <Spark report={report} health={health} marks={marks} />
      <span className={styles.share} title={`decided ${exactly(report.exchanges)} of ${exactly(health.exchanges)} exchanges`}>
        {share(report.exchanges, health.exchanges)}
      </span>
      {report.exchanges === 0 ? null : (
        <dl className={styles.figures}>
          <Figure label="largest session" value={report.largest_session} />
          <Figure label="of one request" value={report.single_sessions} />
          <Figure label="addresses of a session" value={report.most_addresses_of_session} mean={report.mean_addresses_of_session} />
          <Figure label="sessions of an address" value={report.most_sessions_of_address} mean={report.mean_sessions_of_address} />
        </dl>
      )}
      {tried === 0 ? null : (
        <ul className={styles.outcomes} aria-label="What became of the key">
          {outcomes.map(({ outcome, exchanges }) => (
            <li key={outcome} title={`${exactly(exchanges)} of ${exactly(tried)} exchanges`}>
              {outcomeWords(outcome)} {share(exchanges, tried)}
            </li>
          ))}
        </ul>
      )}
      {warnings.map(({ kind, reason }) => (
        <p key={kind} className={styles.warning} data-kind={kind}>
          <IconAlertTriangle size={14} aria-hidden />
          <span>
            <b>{warningTitle(kind)}</b> {reason}
          </span>
        </p>
      ))}
    </li>
  );
}

function about(mean: number): string {
  return mean < 10 ? mean.toFixed(1) : exactly(Math.round(mean));
}

/** The most, and the average where there is one. */
function Figure({ label, value, mean }: { readonly label: string; readonly value: number; readonly mean?: number }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {mean === undefined ? null : <span title="on average">{about(mean)}, most </span>}
        <Amount value={value} />
      </dd>
    </div>
  );
}

const sparkHeight = 26;

/** The rule's share of each bar's exchanges; a bar without exchanges leaves a gap. */
function Spark({ report, health, marks }: Pick<KeyRowProps, "report" | "health" | "marks">) {
  const width = 100 / Math.max(health.bars.length, 1);
  const [from, to] = [Date.parse(health.range.from), Date.parse(health.range.to)];
  const within = marks.filter(({ at }) => at >= from && at < to);
  let path = "";
  for (const [position, whole] of health.bars.entries()) {
    const part = report.bars[position] ?? 0;
    if (whole > 0 && part > 0) {
      const tall = Math.max((part / whole) * sparkHeight, 1);
      path += `M${(position * width).toFixed(2)} ${sparkHeight}h${(width * 0.8).toFixed(2)}v${(-tall).toFixed(2)}h${(-width * 0.8).toFixed(2)}Z`;
    }
  }
  return (
    <svg className={styles.spark} viewBox={`0 0 100 ${sparkHeight}`} preserveAspectRatio="none" role="img" aria-label="Share over time">
      <path className={styles.base} d={`M0 ${sparkHeight - 0.5}H100`} />
      <path d={path} />
      {within.map(({ at, label }) => (
        <path key={`${at} ${label}`} className={styles.mark} d={`M${(((at - from) / (to - from)) * 100).toFixed(2)} 0V${sparkHeight}`}>
          <title>{label}</title>
        </path>
      ))}
    </svg>
  );
}
