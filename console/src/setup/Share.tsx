import { exactly, share } from "../ui/format";
import styles from "./Setup.module.css";

/** A rung's part of the last day's exchanges. */
export function Share({ count, whole }: { readonly count: number; readonly whole: number }) {
  const part = whole === 0 ? 0 : count / whole;
  return (
    <span className={styles.share} title={`decided ${exactly(count)} of ${exactly(whole)} exchanges of the last 24 hours`}>
      <span className={styles.track}>
        <span className={styles.fill} style={{ width: `${part * 100}%` }} />
      </span>
      {share(count, whole)}
    </span>
  );
}
