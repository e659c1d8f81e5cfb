import { Button, TextInput } from "@mantine/core";
import { plural } from "../ui/format";
import styles from "./Setup.module.css";

export interface SaveBarProps {
  readonly version: number;
  readonly comment: string;
  readonly onComment: (comment: string) => void;
  readonly saving: boolean;
  /** Rows that the hub refused. */
  readonly problems: number;
  readonly onDiscard: () => void;
  readonly onSave: () => void;
}

/** What is not saved yet, and what saving does. */
export function SaveBar({ version, comment, onComment, saving, problems, onDiscard, onSave }: SaveBarProps) {
  return (
    <section className={styles.save} aria-label="Unsaved changes">
      <div className={styles.saveText}>
        <b>{problems > 0 ? `Not saved: ${plural(problems, "row")} cannot be accepted` : "Unsaved changes"}</b>
        <span className={styles.aside}>They hold for new traffic; what is stored stays as it was.</span>
      </div>
      <TextInput
        aria-label="What this change is about"
        placeholder="What is it about? (optional)"
        maxLength={500}
        value={comment}
        onChange={(event) => {
          onComment(event.currentTarget.value);
        }}
      />
      <Button variant="default" size="sm" onClick={onDiscard}>
        Discard
      </Button>
      <Button size="sm" loading={saving} onClick={onSave}>
        Save as version {version}
      </Button>
    </section>
  );
}
