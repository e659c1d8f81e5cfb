// Values of the most asked-for fields with their counts, beside the list.

import type { FacetList } from "../api/types";
import { fieldNamed, type FieldName } from "../filters/fields";
import type { Token } from "../filters/token";
import { toggle } from "../filters/toggle";
import { BarList } from "../ui/BarList";
import { withoutHost } from "./identity";
import styles from "./SessionsPage.module.css";

/** Fields of the rail, in order. */
export const railFields: readonly FieldName[] = [
  "application",
  "host",
  "status",
  "method",
  "user",
  "role",
  "endpoint",
  "ip",
  "key",
  "outcome",
];

const monospaced: ReadonlySet<FieldName> = new Set(["ip", "endpoint", "host", "status", "method"]);

export interface FacetRailProps {
  readonly answer: FacetList | undefined;
  readonly tokens: readonly Token[];
  readonly stale: boolean;
  readonly onTokens: (tokens: readonly Token[]) => void;
}

export function FacetRail({ answer, tokens, stale, onTokens }: FacetRailProps) {
  return (
    <aside className={styles.facets} aria-label="Values of these sessions' exchanges" data-stale={stale || undefined}>
      {railFields.map((name) => {
        const facet = answer?.facets.find((one) => one.field === name);
        const values = facet?.values ?? [];
        // One value that everything shares says nothing, unless it was asked for.
        const chosen = tokens.filter((token) => token.field === name && !token.negated).map((token) => token.value);
        if (values.length === 0 || (values.length === 1 && chosen.length === 0 && values[0]?.value === null)) {
          return null;
        }
        const whole = values.reduce((sum, value) => sum + value.exchanges, 0);
        return (
          <BarList
            key={name}
            title={fieldNamed(name)?.label ?? name}
            values={values.map(({ value, exchanges }) => ({ value: value ?? undefined, count: exchanges }))}
            whole={whole}
            unit="exchanges"
            chosen={chosen}
            mono={monospaced.has(name)}
            shorten={name === "endpoint" ? withoutHost : undefined}
            first={5}
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
