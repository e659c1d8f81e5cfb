// The rules that apply when no key of the list works. Read-only.

import type { BuiltInRule } from "../api/types";
import { Prose } from "../ui/Prose";
import { Share } from "./Share";
import styles from "./Setup.module.css";

export interface BuiltInProps {
  readonly rules: readonly BuiltInRule[];
  readonly shares: ReadonlyMap<string, number>;
  /** Exchanges of the last day that nothing identified, by the fallback that took them. */
  readonly fallbacks: ReadonlyMap<string, number>;
  readonly whole: number;
}

export function BuiltIn({ rules, shares, fallbacks, whole }: BuiltInProps) {
  const used = rules.filter((rule) => (shares.get(rule.name) ?? 0) > 0);
  const unused = rules.filter((rule) => (shares.get(rule.name) ?? 0) === 0);
  return (
    <section className={styles.builtIn} aria-label="Built-in set">
      <h2>Else the built-in set</h2>
      <p className={styles.lead}>
        {rules.length} rules for well-known session cookies, headers and tokens, tried in order after your keys. What they
        find is always exported hashed. They cannot be edited: a key of your own goes before them.
      </p>
      {used.length === 0 ? null : (
        <ul className={styles.rules}>
          {used.map((rule) => (
            <Rule key={rule.name} rule={rule} count={shares.get(rule.name) ?? 0} whole={whole} />
          ))}
        </ul>
      )}
      <details>
        <summary>{used.length === 0 ? "All rules" : `${unused.length} rules that decided nothing in the last 24 hours`}</summary>
        <ul className={styles.rules}>
          {unused.map((rule) => (
            <Rule key={rule.name} rule={rule} count={0} whole={0} />
          ))}
        </ul>
      </details>
      <h2 className={styles.then}>Else the client itself</h2>
      <p className={styles.lead}>
        What nothing identifies is grouped by address and user agent, in a namespace of its own: several people may share
        such a session.
      </p>
      {fallbacks.size === 0 ? null : (
        <ul className={styles.rules}>
          {[...fallbacks].map(([name, count]) => (
            <Rule key={name} rule={{ name, description: "" }} count={count} whole={whole} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Rule({ rule, count, whole }: { readonly rule: BuiltInRule; readonly count: number; readonly whole: number }) {
  return (
    <li>
      <span>
        <code>{rule.name}</code>
        <span className={styles.aside}>
          <Prose text={rule.description} />
        </span>
      </span>
      {count > 0 ? <Share count={count} whole={whole} /> : null}
    </li>
  );
}
