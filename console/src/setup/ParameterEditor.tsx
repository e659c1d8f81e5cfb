// One parameter, opened for editing in its place on the ladder.

import { Button, Checkbox, SegmentedControl, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { about, elsewhere, type RowComplaints } from "./complaints";
import { isEverywhere, type Kind, type ParameterDraft } from "./draft";
import { PointField } from "./PointField";
import { ScopeFields } from "./ScopeFields";
import styles from "./Setup.module.css";

export interface ParameterEditorProps {
  readonly draft: ParameterDraft;
  readonly complaints: RowComplaints | undefined;
  /** How many further points a key may have. */
  readonly furtherPoints: number;
  readonly onChange: (change: Partial<ParameterDraft>) => void;
  readonly onClose: () => void;
}

const fields = ["name", "point", "type", "group", "hashed", "namespace", "with", "scope"];

export function ParameterEditor({ draft, complaints, furtherPoints, onChange, onClose }: ParameterEditorProps) {
  const rest = elsewhere(complaints, fields);
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
          error={about(complaints, "name")}
          onChange={(event) => {
            onChange({ name: event.currentTarget.value });
          }}
        />
        <PointField
          value={draft.point}
          error={about(complaints, "point")}
          onChange={(point) => {
            onChange({ point });
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
          <Complaint text={about(complaints, "type")} />
        </div>
        <Checkbox
          label="Group sessions by this key"
          description="Equal values are one session; keys are tried in the order of the list"
          checked={draft.group}
          error={about(complaints, "group")}
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
          error={about(complaints, "hashed")}
          onChange={(event) => {
            onChange({ hashed: event.currentTarget.checked });
          }}
        />
      </div>
      {draft.group ? <Further draft={draft} complaints={complaints} most={furtherPoints} onChange={onChange} /> : null}
      <Asked label="Only in some places…" asked={!isEverywhere(draft.scope) || about(complaints, "scope") !== undefined} heading="Looked for only here">
        <p className={styles.aside}>Elsewhere {draft.group ? "the key is skipped, not failed" : "it has no value"}.</p>
        <ScopeFields
          scope={draft.scope}
          complaints={complaints}
          prefix="scope."
          onChange={(scope) => {
            onChange({ scope });
          }}
        />
      </Asked>
      {draft.group ? (
        <Asked label="Namespace…" asked={draft.namespace !== "" || about(complaints, "namespace") !== undefined}>
          <TextInput
            label="Namespace"
            description="Values are equal only within one. Empty: the one that all keys share, so that a token returned in a response groups with requests that carry it."
            maxLength={64}
            value={draft.namespace}
            error={about(complaints, "namespace")}
            onChange={(event) => {
              onChange({ namespace: event.currentTarget.value });
            }}
          />
        </Asked>
      ) : null}
      <Complaint text={rest} />
      <div className={styles.end}>
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}

interface FurtherProps {
  readonly draft: ParameterDraft;
  readonly complaints: RowComplaints | undefined;
  readonly most: number;
  readonly onChange: (change: Partial<ParameterDraft>) => void;
}

/** The other values of a composite key. */
function Further({ draft, complaints, most, onChange }: FurtherProps) {
  return (
    <>
      {draft.with.map((point, position) => (
        // Points have no identity but their place.
        // oxlint-disable-next-line react/no-array-index-key -- see above
        <div key={position} className={styles.further}>
          <PointField
            label={`And point ${position + 2}`}
            description="Must have a value too, and counts with it"
            value={point}
            error={about(complaints, `with[${position}]`)}
            onChange={(next) => {
              onChange({ with: draft.with.with(position, next) });
            }}
          />
          <Button
            variant="subtle"
            color="gray"
            aria-label={`Remove point ${position + 2}`}
            leftSection={<IconTrash size={14} />}
            onClick={() => {
              onChange({ with: draft.with.toSpliced(position, 1) });
            }}
          >
            Remove
          </Button>
        </div>
      ))}
      {draft.with.length >= most ? null : (
        <div>
          <Button
            variant="transparent"
            px={0}
            onClick={() => {
              onChange({ with: [...draft.with, ""] });
            }}
          >
            Together with another value…
          </Button>
        </div>
      )}
    </>
  );
}

interface AskedProps {
  /** What the button says. */
  readonly label: string;
  /** Something stands there already. */
  readonly asked: boolean;
  readonly heading?: string;
  readonly children: ReactNode;
}

/** What few need: a button until somebody asks for it. */
function Asked({ label, asked, heading, children }: AskedProps) {
  const [open, setOpen] = useState(asked);
  if (!open && !asked) {
    return (
      <div>
        <Button
          variant="transparent"
          px={0}
          onClick={() => {
            setOpen(true);
          }}
        >
          {label}
        </Button>
      </div>
    );
  }
  return (
    <div role="group" aria-label={heading ?? label.replace("…", "")}>
      {heading === undefined ? null : <span className={styles.label}>{heading}</span>}
      {children}
    </div>
  );
}

function Complaint({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : <p className={styles.error}>{text}</p>;
}

function asKind(value: string): Kind {
  return value === "user" || value === "role" ? value : "none";
}
