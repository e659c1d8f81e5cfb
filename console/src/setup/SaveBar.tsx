import { Button } from "@mantine/core";
import { plural } from "../ui/format";
import styles from "./Setup.module.css";

export interface SaveBarProps {
  /** How many changes saving would make; undefined while the hub has not said. */
  readonly changes: number | undefined;
  /** Complaints of the hub. */
  readonly problems: number;
  /** The hub could not be asked. */
  readonly failed: string | undefined;
  readonly onDiscard: () => void;
  readonly onTry: () => void;
  readonly onReview: () => void;
}

/** What is not saved yet, on every Setup page. */
export function SaveBar({ changes, problems, failed, onDiscard, onTry, onReview }: SaveBarProps) {
  return (
    <section className={styles.save} aria-label="Unsaved changes">
      <div className={styles.saveText}>
        <b>
          {problems > 0
            ? `Not saved: ${plural(problems, "field")} cannot be accepted`
            : changes === undefined || changes === 0
              ? "Unsaved changes"
              : plural(changes, "unsaved change")}
        </b>
        <span className={styles.aside}>{failed ?? "They hold for new traffic once saved; what is stored stays as it was."}</span>
      </div>
      <Button variant="default" size="sm" onClick={onDiscard}>
        Discard…
      </Button>
      <Button variant="default" size="sm" onClick={onTry}>
        Try it out
      </Button>
      <Button size="sm" onClick={onReview}>
        Review and save…
      </Button>
    </section>
  );
}
