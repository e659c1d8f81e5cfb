import { Button, Group } from "@mantine/core";
import styles from "./Setup.module.css";

/** Somebody else saved meanwhile. */
export function Conflict({ onTheirs, onMine }: { readonly onTheirs: () => void; readonly onMine: () => void }) {
  return (
    <div className={styles.conflict} role="alert">
      <p>
        <b>Somebody else saved a newer version while you were editing.</b> Nothing was overwritten, and your changes are
        still here.
      </p>
      <Group gap="xs">
        <Button variant="default" onClick={onTheirs}>
          Reload theirs, drop mine
        </Button>
        <Button variant="default" onClick={onMine}>
          Save mine over theirs
        </Button>
      </Group>
      <p className={styles.aside}>Both versions stay in the history either way.</p>
    </div>
  );
}
