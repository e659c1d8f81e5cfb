// Values with their counts as bars; each can be taken as a filter or excluded.

import { IconMinus } from "@tabler/icons-react";
import { useState } from "react";
import { Captured } from "./Captured";
import { Amount } from "./Amount";
import { exactly, share } from "./format";
import styles from "./BarList.module.css";

export interface BarValue {
  /** Undefined for exchanges without a value. */
  readonly value: string | undefined;
  readonly count: number;
}

export interface BarListProps {
  readonly title: string;
  readonly values: readonly BarValue[];
  /** What the whole is, for shares. */
  readonly whole: number;
  /** What is counted: `exchanges`. */
  readonly unit: string;
  /** Values that are filtered for at the moment. */
  readonly chosen: readonly string[];
  readonly mono?: boolean;
  /** A shorter way to show a value; the whole one is on hover. */
  readonly shorten?: ((value: string) => string) | undefined;
  /** Rows before "all". */
  readonly first?: number;
  /** Left out where the value cannot be filtered by. */
  readonly onChoose?: ((value: string) => void) | undefined;
  readonly onExclude?: ((value: string) => void) | undefined;
}

export function BarList({ title, values, whole, unit, chosen, mono = false, shorten, first = 6, onChoose, onExclude }: BarListProps) {
  const [all, setAll] = useState(false);
  const most = values.reduce((top, one) => Math.max(top, one.count), 1);
  const shown = all ? values : values.slice(0, first);
  return (
    <section className={styles.facet}>
      <h3 className={styles.title}>
        {title}
        {values.length > 1 ? <span className={styles.many}>{values.length}</span> : null}
      </h3>
      <ul className={styles.list}>
        {shown.map((one, position) => {
          const { value } = one;
          const bar = <span className={styles.bar} style={{ width: `${(one.count / most) * 100}%` }} />;
          const label =
            value === undefined ? <span className={styles.none}>none</span> : <Captured text={shorten?.(value) ?? value} hover={value} mono={mono} />;
          const numbers = (
            <span className={styles.count} title={`${exactly(one.count)} ${unit}, ${share(one.count, whole)}`}>
              <Amount value={one.count} />
            </span>
          );
          const isChosen = value !== undefined && chosen.includes(value);
          return (
            // Values come from the wire and may repeat in odd ways; their position is their identity here.
            <li key={`${position} ${value ?? ""}`} className={styles.row} data-chosen={isChosen || undefined}>
              {value === undefined || onChoose === undefined ? (
                <span className={styles.plain}>
                  {bar}
                  {label}
                  {numbers}
                </span>
              ) : (
                <button
                  type="button"
                  className={styles.plain}
                  aria-pressed={isChosen}
                  onClick={() => {
                    onChoose(value);
                  }}
                >
                  {bar}
                  {label}
                  {numbers}
                </button>
              )}
              {value === undefined || onExclude === undefined ? null : (
                <button
                  type="button"
                  className={styles.exclude}
                  aria-label={`leave out ${title} ${value}`}
                  title="leave out"
                  onClick={() => {
                    onExclude(value);
                  }}
                >
                  <IconMinus size={12} />
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {values.length > first ? (
        <button
          type="button"
          className={styles.more}
          onClick={() => {
            setAll(!all);
          }}
        >
          {all ? "fewer" : `${values.length - first} more`}
        </button>
      ) : null}
    </section>
  );
}
