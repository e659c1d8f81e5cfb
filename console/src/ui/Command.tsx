import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import styles from "./notes.module.css";

/** A command to type into a terminal. */
export function Command({ children }: { readonly children: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <span className={styles.command}>
      <code>{children}</code>
      <ActionIcon
        size="sm"
        aria-label={clipboard.copied ? "copied" : `copy ${children}`}
        onClick={() => {
          clipboard.copy(children);
        }}
      >
        {clipboard.copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </span>
  );
}
