// Masks for what most APIs have and nobody needs in a session. Offered; nothing holds unless somebody adds it.

import { Button } from "@mantine/core";
import { type MaskDraft, newMask } from "./draft";
import { PointPath } from "./PointPath";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export function OfferedMasks() {
  const { base, draft, readOnly, change } = useSetup();
  const { masks } = draft;
  const offered = base.suggested_masks.filter((point) => !masks.some((mask) => mask.point.trim() === point));
  const room = base.limits.masks - masks.length;
  if (offered.length === 0 || readOnly) {
    return null;
  }
  const add = (points: readonly string[]): void => {
    change({ masks: points.reduce<readonly MaskDraft[]>((list, point) => [...list, newMask(list, point)], masks) });
  };
  return (
    <section className={styles.builtIn} aria-label="Offered masks">
      <div className={styles.head}>
        <div>
          <h2>Passwords, card and account numbers</h2>
          <p className={styles.lead}>
            {offered.length} places where APIs usually take them. A mask of a place that your API does not have does nothing.
          </p>
        </div>
        <Button
          variant="default"
          disabled={room < offered.length}
          onClick={() => {
            add(offered);
          }}
        >
          Add all {offered.length}
        </Button>
      </div>
      <ul className={styles.rules}>
        {offered.map((point) => (
          <li key={point}>
            <span>
              <PointPath point={point} />
            </span>
            <Button
              variant="subtle"
              size="compact-xs"
              aria-label={`Mask ${point}`}
              disabled={room < 1}
              onClick={() => {
                add([point]);
              }}
            >
              Mask it
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
