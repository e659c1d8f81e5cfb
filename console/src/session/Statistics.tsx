// The session's own figures, each a filter within it.

import { useState } from "react";
import type { Count, SessionSummary } from "../api/types";
import { fieldNamed, type FieldName } from "../filters/fields";
import type { Token } from "../filters/token";
import { toggle } from "../filters/toggle";
import { BarList } from "../ui/BarList";
import { withoutHost } from "../sessions/identity";
import styles from "./SessionView.module.css";

const order: readonly FieldName[] = ["status", "endpoint", "method", "ip", "user", "role", "host", "application", "key", "outcome"];
const monospaced: ReadonlySet<FieldName> = new Set(["ip", "endpoint", "host", "status", "method"]);
/** Shown even with one value: who it was and where from. */
const always: ReadonlySet<FieldName> = new Set(["status", "endpoint", "ip"]);

export interface StatisticsProps {
  readonly summary: SessionSummary;
  readonly tokens: readonly Token[];
  readonly stale: boolean;
  readonly onTokens: (tokens: readonly Token[]) => void;
}

export function Statistics({ summary, tokens, stale, onTokens }: StatisticsProps) {
  // Beside the exchanges they are always shown; above them, on a phone, only when asked for.
  const [shown, setShown] = useState(false);
  return (
    <aside className={styles.statistics} aria-label="Statistics of this session" data-stale={stale || undefined}>
      <button
        type="button"
        className={styles.unfold}
        aria-expanded={shown}
        onClick={() => {
          setShown(!shown);
        }}
      >
        {shown ? "Hide the statistics" : "Statistics and filters"}
      </button>
      <div className={styles.figures} data-shown={shown || undefined}>
      {order.map((name) => {
        const values = valuesOf(summary, name);
        const chosen = tokens.filter((token) => token.field === name && !token.negated).map((token) => token.value);
        const known = values.filter((value) => value.value !== null && value.value !== undefined);
        if (known.length === 0 || (known.length === 1 && values.length === 1 && !always.has(name) && chosen.length === 0)) {
          return null;
        }
        return (
          <BarList
            key={name}
            title={fieldNamed(name)?.label ?? name}
            values={values.map(({ value, exchanges }) => ({ value: value ?? undefined, count: exchanges }))}
            whole={summary.whole.requests}
            unit="exchanges"
            chosen={chosen}
            mono={monospaced.has(name)}
            shorten={name === "endpoint" ? withoutHost : undefined}
            first={6}
            onChoose={(value) => {
              onTokens(toggle(tokens, { field: name, value, negated: false }));
            }}
            onExclude={(value) => {
              onTokens(toggle(tokens, { field: name, value, negated: true }));
            }}
          />
        );
      })}
      </div>
    </aside>
  );
}

function valuesOf(summary: SessionSummary, name: FieldName): readonly Count[] {
  if (name === "user") {
    return summary.users;
  }
  if (name === "role") {
    return summary.roles;
  }
  return summary.facets.find((facet) => facet.field === name)?.values ?? [];
}
