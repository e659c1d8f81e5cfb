// Setup › Masks: values that nobody may see, cut on the node before anything else looks at them.

import { Badge, Button } from "@mantine/core";
import { IconEyeOff, IconPlus } from "@tabler/icons-react";
import { Captured } from "../ui/Captured";
import { Empty } from "../ui/Empty";
import { about, byRow, bySection, elsewhere, type RowComplaints } from "./complaints";
import { isEverywhere, type MaskDraft, newMask, replace } from "./draft";
import { Held } from "./Held";
import { OfferedMasks } from "./OfferedMasks";
import { PointField } from "./PointField";
import { PointPath } from "./PointPath";
import { RowTools } from "./RowTools";
import { ScopeFields } from "./ScopeFields";
import { scopeWords } from "./scopeWords";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export function MasksPage() {
  const { base, draft, readOnly, problems, warnings, change, setOpen } = useSetup();
  const { masks } = draft;
  const complaints = byRow(problems, "masks");
  const full = masks.length >= base.limits.masks;
  const wrong = bySection(problems, "masks").get("");
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>Masks</h1>
          <p className={styles.lead}>
            <Held />
          </p>
        </div>
        <span className={styles.quota}>
          {masks.length} of {base.limits.masks}
        </span>
        {readOnly ? null : (
          <Button
            leftSection={<IconPlus size={15} />}
            disabled={full}
            title={full ? `There may be at most ${base.limits.masks} masks` : undefined}
            onClick={() => {
              const added = newMask(masks);
              change({ masks: [...masks, added] });
              setOpen(`masks ${added.key}`);
            }}
          >
            Add a mask
          </Button>
        )}
      </header>
      <p className={styles.sentence}>
        What a mask covers is cut <b>before anything else looks</b>: it groups nothing, is not exported, and does not show in
        previews and recent exchanges. Where the same value stands elsewhere, a keyed hash takes its place.
      </p>
      {wrong === undefined ? null : <p className={styles.error}>{wrong}</p>}
      {warnings.length === 0 ? null : (
        <div className={styles.warning} role="status">
          <b>{warnings.length === 1 ? "A mask covers a parameter" : "Masks cover parameters"}</b>
          <ul className={styles.sentences}>
            {warnings.map(({ field, reason }) => (
              <li key={`${field} ${reason}`}>
                <Captured text={reason} wrap />
              </li>
            ))}
          </ul>
        </div>
      )}
      {masks.length === 0 ? (
        <Empty title="No masks yet">
          <p>
            Bodies and headers never leave a node whole; only what parameters select does. A mask makes sure that nobody can
            select a value at all, not even by mistake.
          </p>
        </Empty>
      ) : (
        <ul className={styles.ladder} aria-label="Masks">
          {masks.map((mask, position) => (
            <MaskRow key={mask.key} mask={mask} complaints={complaints.get(position)} />
          ))}
        </ul>
      )}
      <OfferedMasks />
    </>
  );
}

interface MaskRowProps {
  readonly mask: MaskDraft;
  readonly complaints: RowComplaints | undefined;
}

function MaskRow({ mask, complaints }: MaskRowProps) {
  const { draft, readOnly, change, open: held, setOpen } = useSetup();
  const id = `masks ${mask.key}`;
  const open = held === id;
  const toggle = (): void => {
    setOpen(open ? undefined : id);
  };
  const update = (part: Partial<MaskDraft>): void => {
    change({ masks: replace(draft.masks, mask.key, part) });
  };
  const [wrong] = complaints?.values() ?? [];
  return (
    <li className={styles.rung} data-open={open || undefined}>
      <div className={`${styles.row} ${styles.plain}`}>
        <IconEyeOff size={16} stroke={1.6} aria-hidden className={styles.sign} />
        <div className={styles.what}>
          <button type="button" className={styles.open} aria-expanded={open} disabled={readOnly} onClick={toggle}>
            <PointPath point={mask.point} />
          </button>
          <span className={styles.aside}>
            {isEverywhere(mask.scope) ? "everywhere" : <Captured text={scopeWords(mask.scope)} wrap />}
          </span>
          {wrong === undefined || open ? null : <p className={styles.error}>{wrong}</p>}
        </div>
        {readOnly ? (
          <Badge size="sm" color="gray">
            masked
          </Badge>
        ) : (
          <RowTools
            name={`the mask of ${mask.point === "" ? "nothing yet" : mask.point}`}
            onEdit={toggle}
            onDelete={() => {
              change({ masks: draft.masks.filter(({ key }) => key !== mask.key) });
            }}
          />
        )}
      </div>
      {open && !readOnly ? (
        <div className={`${styles.editor} ${styles.plainEditor}`} role="group" aria-label="Mask">
          <PointField
            description="What nobody may see; what lies in it is hidden with it"
            value={mask.point}
            error={about(complaints, "point")}
            onChange={(point) => {
              update({ point });
            }}
          />
          <div>
            <span className={styles.label}>Where it applies</span>
            <ScopeFields
              scope={mask.scope}
              complaints={complaints}
              prefix="scope."
              onChange={(scope) => {
                update({ scope });
              }}
            />
          </div>
          {elsewhere(complaints, ["point", "scope"]) === undefined ? null : (
            <p className={styles.error}>{elsewhere(complaints, ["point", "scope"])}</p>
          )}
          <div className={styles.end}>
            <Button
              variant="default"
              onClick={() => {
                setOpen(undefined);
              }}
            >
              Done
            </Button>
          </div>
        </div>
      ) : null}
    </li>
  );
}
