import styles from "./Setup.module.css";

/** After a merge: what to look at before saving. */
export function MergedNote({ version, both }: { readonly version: number; readonly both: readonly string[] }) {
  return (
    <div className={styles.warning} role="status">
      {both.length === 0 ? (
        <p>Version {version} is in your draft now, and nothing of it was changed by both of you. Not saved yet.</p>
      ) : (
        <p>
          Version {version} is in your draft now. You both changed {both.join(", ")}: <b>yours was kept</b>. Not saved yet.
        </p>
      )}
    </div>
  );
}
