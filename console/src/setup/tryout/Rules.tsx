// Which rule decides how much, two policies side by side: bars, exact numbers on hover, differences in words.

import { outcomeWords } from "../../keys/words";
import { Captured } from "../../ui/Captured";
import { exactly, share } from "../../ui/format";
import { changeOfShare, type Decided, kindWords, lineUp, type Ruled } from "./compare";
import { Difference } from "./Difference";
import styles from "./TryOut.module.css";

export interface RulesProps {
  readonly current: readonly Ruled[];
  /** Undefined where it cannot be told: there is nothing beside the other then. */
  readonly draft: readonly Ruled[] | undefined;
  /** What the shares stand on: exchanges of either. */
  readonly ofCurrent: number;
  readonly ofDraft: number;
}

const asides = new Map([
  ["fallback", "nothing identified the client"],
  ["unknown", "what decides instead is not stored"],
]);

export function Rules({ current, draft, ofCurrent, ofDraft }: RulesProps) {
  return lineUp(current, draft).map((row) => {
    const { kind, key, part } = row;
    const isKey = kind === "configured";
    return (
      <div key={`${kind} ${part ? "part" : ""} ${key ?? ""}`} className={styles.row} role="row" data-part={part || undefined} data-bar>
        <span className={styles.what} role="rowheader">
          {key === undefined ? kindWords(kind) : <Captured text={key} />}
          {key === undefined ? <span className={styles.of}> {asides.get(kind) ?? ""}</span> : null}
        </span>
        <Cell side="current" decided={row.current} of={ofCurrent} missing={isKey ? "no key" : ""} />
        {draft === undefined ? null : (
          <>
            <Cell side="draft" decided={row.draft} of={ofDraft} missing={isKey ? "no key" : ""} />
            <Difference change={kind === "unknown" ? { way: "other", words: "" } : changeOfShare(row.current, row.draft)} />
          </>
        )}
      </div>
    );
  });
}

interface CellProps {
  readonly side: "current" | "draft";
  readonly decided: Decided | undefined;
  readonly of: number;
  readonly missing: string;
}

function Cell({ side, decided, of, missing }: CellProps) {
  if (decided === undefined) {
    return (
      <span className={styles.cell} role="cell" data-side={side}>
        <span className={styles.missing}>{missing}</span>
      </span>
    );
  }
  const { place, exchanges, share: part } = decided;
  return (
    <span className={styles.cell} role="cell" data-side={side} title={hover(decided, of)}>
      <span className={styles.place}>{place === undefined ? "" : `${place}.`}</span>
      <span className={styles.track}>
        <span className={styles.fill} style={{ width: `${part * 100}%` }} />
      </span>
      <span className={styles.share}>{share(exchanges, of)}</span>
      <span className={styles.count}>{exactly(exchanges)}</span>
    </span>
  );
}

function hover({ exchanges, sessions, outcomes }: Decided, of: number): string {
  const decided = `decides ${exactly(exchanges)} of ${exactly(of)} exchanges`;
  const inSessions = sessions === undefined || exchanges === 0 ? "" : ` in ${exactly(sessions)} ${sessions === 1 ? "session" : "sessions"}`;
  const rest = outcomes.filter(({ outcome }) => outcome !== "decided").map(({ outcome, exchanges: count }) => `${outcomeWords(outcome)}: ${exactly(count)}`);
  return [`${decided}${inSessions}`, ...rest].join("\n");
}
