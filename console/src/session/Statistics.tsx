// The session's own figures, each a filter within it.

import type { Count, SessionSummary } from "../api/types";
import { fieldNamed, type FieldName } from "../filters/fields";
import type { Token } from "../filters/token";
import { toggle } from "../filters/toggle";
import { BarList } from "../ui/BarList";
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
  return (
    <aside className={styles.statistics} aria-label="Statistics of this session" data-stale={stale || undefined}>
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
