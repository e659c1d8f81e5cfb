import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { Change } from "./compare";
import styles from "./TryOut.module.css";

/** From the version that holds to the draft. The words say it; the arrow is for the quick eye. */
export function Difference({ change: { way, words } }: { readonly change: Change }) {
  return (
    <span className={styles.difference} role="cell" data-way={way}>
      {way === "more" ? <IconArrowUp size={12} aria-hidden /> : way === "fewer" ? <IconArrowDown size={12} aria-hidden /> : null}
      {words}
    </span>
  );
}
