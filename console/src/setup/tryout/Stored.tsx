// Shares over what is stored, where exported parameters tell them, and what cannot be told from it.

import { exactly } from "../../ui/format";
import { Prose } from "../../ui/Prose";
import type { Stored as StoredShares } from "./compare";
import { Heads } from "./Figures";
import { Rules } from "./Rules";
import styles from "./TryOut.module.css";

export function Stored({ stored, against }: { readonly stored: StoredShares; readonly against: number }) {
  const { exchanges, current, draft, not_told: notTold, note } = stored;
  const isTold = notTold === null;
  return (
    <section className={styles.part} aria-labelledby="try-out-stored">
      <h3 id="try-out-stored">Over what is stored, the last 24 hours</h3>
      {exchanges === 0 && isTold ? (
        <p className={styles.quiet}>Version {against} grouped none of the exchanges that are stored, so there is no share to show.</p>
      ) : (
        <>
          {isTold ? null : (
            <p className={styles.notTold}>
              The draft’s shares cannot be told here: <Prose text={notTold} />
            </p>
          )}
          {exchanges === 0 ? null : (
            <div className={styles.table} data-alone={!isTold || undefined} role="table" aria-label="Shares of what is stored">
              <Heads
                against={against}
                what="Who decides, share of the exchanges"
                ofCurrent={exchanges}
                ofDraft={isTold ? exchanges : undefined}
              />
              <Rules current={current} draft={isTold ? draft : undefined} ofCurrent={exchanges} ofDraft={exchanges} />
            </div>
          )}
        </>
      )}
      <p className={styles.quiet}>
        {exchanges === 0 ? null : `${exactly(exchanges)} exchanges that version ${against} grouped. `}
        <Prose text={note} />
      </p>
    </section>
  );
}
