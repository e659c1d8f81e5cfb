// One parameter, opened for editing in its place on the ladder.

import { Button, Checkbox, Collapse, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Draft, Kind, RowErrors } from "./draft";
import { PointField } from "./PointField";
import styles from "./Setup.module.css";

export interface EditorProps {
  readonly draft: Draft;
  readonly errors: RowErrors | undefined;
  readonly onChange: (change: Partial<Draft>) => void;
  readonly onClose: () => void;
}

export function Editor({ draft, errors, onChange, onClose }: EditorProps) {
  const [more, setMore] = useState(draft.namespace !== "" || errors?.namespace !== undefined);
  return (
    <div className={styles.editor} role="group" aria-label={`Parameter ${draft.name === "" ? "new" : draft.name}`}>
      <div className={styles.pair}>
        <TextInput
          label="Name"
          description="Unique; shown beside values"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- somebody just asked for a new row: this is where they go on
          autoFocus={draft.name === "" && draft.point === ""}
          maxLength={64}
          value={draft.name}
          error={errors?.name}
          onChange={(event) => {
            onChange({ name: event.currentTarget.value });
          }}
        />
        <PointField
          value={draft.point}
          error={errors?.point}
          onChange={(point) => {
            onChange({ point, breadcrumb: [] });
          }}
          onNormalised={(point, breadcrumb) => {
            onChange({ point, breadcrumb });
          }}
        />
      </div>
      <div className={styles.choices}>
        <div>
          <span className={styles.label} id={`kind-${draft.key}`}>
            The value names
          </span>
          <SegmentedControl
            aria-labelledby={`kind-${draft.key}`}
            value={draft.kind}
            onChange={(value) => {
              onChange({ kind: asKind(value) });
            }}
            data={[
              { value: "none", label: "nobody" },
              { value: "user", label: "the user" },
              { value: "role", label: "the role" },
            ]}
          />
          {errors?.type === undefined ? null : <p className={styles.error}>{errors.type}</p>}
        </div>
        <Checkbox
          label="Group sessions by this key"
          description="Equal values are one session; keys are tried in the order of the list"
          checked={draft.group}
          error={errors?.group}
          onChange={(event) => {
            onChange({ group: event.currentTarget.checked });
          }}
        />
        <Checkbox
          label="Export as hashed (secret)"
          description={
            draft.hashed === undefined
              ? "Decided when saved: yes where credentials stand, else no"
              : "Only a keyed hash leaves the node; it still groups and filters"
          }
          checked={draft.hashed ?? false}
          indeterminate={draft.hashed === undefined}
          error={errors?.hashed}
          onChange={(event) => {
            onChange({ hashed: event.currentTarget.checked });
          }}
        />
      </div>
      <Collapse expanded={more && draft.group}>
        <TextInput
          label="Namespace"
          description="Values are equal only within one. Empty: the one that all keys share, so that a token returned in a response groups with requests that carry it."
          maxLength={64}
          value={draft.namespace}
          error={errors?.namespace}
          onChange={(event) => {
            onChange({ namespace: event.currentTarget.value });
          }}
        />
      </Collapse>
      {errors?.row === undefined ? null : <p className={styles.error}>{errors.row}</p>}
      <div className={styles.end}>
        {draft.group && !more ? (
          <Button
            variant="subtle"
            onClick={() => {
              setMore(true);
            }}
          >
            Namespace…
          </Button>
        ) : null}
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}

function asKind(value: string): Kind {
  return value === "user" || value === "role" ? value : "none";
}
