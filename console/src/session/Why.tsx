// Why an exchange is in its session: every key that was tried, in order, and what became of it.

import { IconCheck, IconCircleDashed, IconExclamationCircle, IconMinus } from "@tabler/icons-react";
import type { ExchangeDetails } from "../api/types";
import { Captured } from "../ui/Captured";
import styles from "./Details.module.css";
import { keyOutcome, origin, type Told } from "./words";

const icons: Readonly<Record<Told["mark"], typeof IconCheck>> = {
  decided: IconCheck,
  passed: IconMinus,
  trouble: IconExclamationCircle,
  skipped: IconCircleDashed,
};

export function Why({ exchange }: { readonly exchange: ExchangeDetails }) {
  const builtIn = exchange.session_key_kind !== "configured";
  const told = origin(exchange.session_value_origin);
  return (
    <section className={styles.section} aria-label="Why this session">
      <h4>API session ID parameters</h4>
      <dl className={styles.deciding}>
        <dt>
          <Captured text={exchange.session_key} />
        </dt>
        <dd>
          <Captured text={exchange.session_value} hashed={exchange.session_value_hashed} mono copy />
        </dd>
      </dl>
      {told === undefined ? null : <p className={styles.note}>The value was {told}.</p>}
      {exchange.session_uncertain ? (
        <p className={styles.warning}>
          Uncertain: a part of the message that a key needed was damaged or not captured. Whole, it might have grouped
          differently.
        </p>
      ) : null}
      <h4>Why</h4>
      {exchange.trace === null || exchange.trace === undefined ? (
        <p className={styles.note}>
          This hub does not know policy version {exchange.policy_version}, which grouped the exchange, so the keys before
          the one that decided cannot be named.
        </p>
      ) : (
        <ol className={styles.trace}>
          {exchange.trace.map((step, position) => {
            const { words, mark } = keyOutcome(step.outcome);
            const Icon = icons[mark];
            return (
              // Two keys never have the same place in the order.
              <li key={`${position} ${step.name}`} data-mark={mark}>
                <Icon size={15} aria-hidden className={styles.icon} />
                <span>
                  <b>
                    <Captured text={step.name} />
                  </b>{" "}
                  <code>
                    <Captured text={step.point} wrap />
                  </code>
                  <br />
                  {words}
                </span>
              </li>
            );
          })}
          <li data-mark={builtIn ? "decided" : "skipped"}>
            {builtIn ? <IconCheck size={15} aria-hidden className={styles.icon} /> : <IconCircleDashed size={15} aria-hidden className={styles.icon} />}
            <span>
              <b>{exchange.session_key_kind === "fallback" ? "Fallback" : "Built-in set"}</b>{" "}
              {builtIn ? <code>{exchange.session_key}</code> : null}
              <br />
              {builtIn
                ? `${exchange.built_in?.description ?? exchange.session_key}${exchange.trace.length === 0 ? " (no keys are configured)" : ": no configured key worked"}`
                : "not tried: a configured key had decided"}
            </span>
          </li>
        </ol>
      )}
      <p className={styles.note}>Grouped under policy version {exchange.policy_version}.</p>
    </section>
  );
}
