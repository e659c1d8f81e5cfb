import { abbreviate, exactly } from "./format";
import styles from "./text.module.css";

/** A number, abbreviated; the exact one on hover. */
export function Amount({ value, unit }: { readonly value: number; readonly unit?: string }) {
  const text = abbreviate(value);
  const hover = exactly(value);
  return (
    <span className={styles.amount} title={hover === text ? undefined : hover}>
      {text}
      {unit === undefined ? null : ` ${unit}`}
    </span>
  );
}
