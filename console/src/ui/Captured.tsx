// Text that came from the wire. Hostile by assumption: shown as text and nothing else, isolated so that a
// right-to-left override cannot reorder its surroundings, control and formatting characters made visible.

import { IconLock } from "@tabler/icons-react";
import { useClipboard } from "@mantine/hooks";
import { visible } from "./visible";
import styles from "./text.module.css";

export interface CapturedProps {
  readonly text: string;
  /** What is said on hover, where the text shown is a shortened one. */
  readonly hover?: string;
  /** Whether the text is a keyed hash: a lock and its first eight digits are shown. */
  readonly hashed?: boolean;
  /** Monospace: addresses, IDs, values. */
  readonly mono?: boolean;
  /** Click copies the whole text. Leave out inside something that is itself clickable. */
  readonly copy?: boolean;
  /** Break long text over lines instead of cutting it off. */
  readonly wrap?: boolean;
}

export function Captured({ text, hover, hashed = false, mono = false, copy = false, wrap = false }: CapturedProps) {
  const clipboard = useClipboard({ timeout: 1200 });
  const shown = hashed ? text.slice(0, 8) : visible(text);
  const className = [styles.value, mono || hashed ? styles.mono : "", wrap ? styles.wrap : "", hashed ? styles.short : ""].join(" ");
  const content = (
    <>
      {hashed ? <IconLock className={styles.lock} size={12} aria-label="hashed" /> : null}
      <bdi>{shown}</bdi>
    </>
  );
  const title = hashed ? `keyed hash ${text}` : hover === undefined ? shown : visible(hover);
  if (!copy) {
    return (
      <span className={className} title={title}>
        {content}
      </span>
    );
  }
  return (
    <button
      type="button"
      className={`${className} ${styles.copy}`}
      title={clipboard.copied ? "copied" : `${title} · click copies`}
      onClick={(event) => {
        event.stopPropagation();
        clipboard.copy(text);
      }}
    >
      {content}
      {clipboard.copied ? <span role="status">copied</span> : null}
    </button>
  );
}
