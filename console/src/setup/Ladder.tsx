// The ordered list: every key is a rung with its share of the last day's exchanges on it.

import { ActionIcon, Badge, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconKey, IconLock, IconPencil, IconTrash } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { Breadcrumb } from "../ui/Breadcrumb";
import { Captured } from "../ui/Captured";
import type { Draft, RowErrors } from "./draft";
import { Editor } from "./Editor";
import { Share } from "./Share";
import styles from "./Setup.module.css";

export interface LadderProps {
  readonly drafts: readonly Draft[];
  readonly errors: ReadonlyMap<number, RowErrors>;
  /** Exchanges of the last day by the name of the key that decided; undefined while unknown. */
  readonly shares: ReadonlyMap<string, number> | undefined;
  readonly whole: number;
  readonly editing: number | undefined;
  readonly readOnly: boolean;
  readonly onEdit: (key: number | undefined) => void;
  readonly onChange: (key: number, change: Partial<Draft>) => void;
  readonly onMove: (position: number, by: -1 | 1) => void;
  readonly onDelete: (key: number) => void;
}

export function Ladder(props: LadderProps) {
  const { drafts, errors, editing } = props;
  const keys = drafts.filter((draft) => draft.group);
  return (
    <ol className={styles.ladder} aria-label="Parameters in order">
      {drafts.map((draft, position) => (
        <Rung
          key={draft.key}
          draft={draft}
          position={position}
          rung={draft.group ? keys.indexOf(draft) + 1 : undefined}
          last={position === drafts.length - 1}
          errors={errors.get(position)}
          open={editing === draft.key}
          list={props}
        />
      ))}
    </ol>
  );
}

interface RungProps {
  readonly draft: Draft;
  readonly position: number;
  readonly rung: number | undefined;
  readonly last: boolean;
  readonly errors: RowErrors | undefined;
  readonly open: boolean;
  readonly list: LadderProps;
}

function Rung({ draft, position, rung, last, errors, open, list }: RungProps) {
  const row = useRef<HTMLButtonElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    // The row keeps the focus while it is moved.
    if (moved.current) {
      moved.current = false;
      row.current?.focus();
    }
  }, [position]);
  const move = (by: -1 | 1): void => {
    moved.current = true;
    list.onMove(position, by);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && !list.readOnly) {
      event.preventDefault();
      move(event.key === "ArrowUp" ? -1 : 1);
    }
  };
  const name = draft.name === "" ? "unnamed" : draft.name;
  const wrong = errors === undefined ? undefined : [errors.name, errors.point, errors.type, errors.group, errors.hashed, errors.namespace, errors.row].find((text) => text !== undefined);
  const { shares } = list;
  return (
    <li className={styles.rung} data-key={rung === undefined ? undefined : true} data-open={open || undefined}>
      <div className={styles.row}>
        <span className={styles.number} aria-hidden="true">
          {rung ?? "·"}
        </span>
        <div className={styles.what}>
          <span className={styles.name}>
            <button
              ref={row}
              type="button"
              className={styles.open}
              aria-expanded={open}
              disabled={list.readOnly}
              title={list.readOnly ? undefined : "Enter edits, Alt with arrows moves"}
              onKeyDown={onKeyDown}
              onClick={() => {
                list.onEdit(open ? undefined : draft.key);
              }}
            >
              <Captured text={name} />
            </button>
            {draft.group ? <Badge size="sm" leftSection={<IconKey size={11} />}>key</Badge> : null}
            {draft.kind === "none" ? null : <Badge size="sm" color="gray">{draft.kind === "user" ? "User" : "Role"}</Badge>}
            {draft.hashed === true ? <Badge size="sm" color="gray" leftSection={<IconLock size={11} />}>hashed</Badge> : null}
            {draft.with.length === 0 ? null : (
              <Badge size="sm" color="gray" title={draft.with.join(", ")}>
                with {draft.with.length} more
              </Badge>
            )}
            {Object.values(draft.scope).some((list) => list.length > 0) ? (
              <Badge size="sm" color="gray" title={Object.entries(draft.scope).map(([what, list]) => `${what}: ${list.join(", ")}`).join("; ")}>
                scoped
              </Badge>
            ) : null}
            {draft.namespace === "" ? null : <Badge size="sm" color="gray">in {draft.namespace}</Badge>}
          </span>
          {draft.breadcrumb.length > 0 ? <Breadcrumb steps={draft.breadcrumb} /> : <code>{draft.point}</code>}
          {wrong === undefined || open ? null : <p className={styles.error}>{wrong}</p>}
        </div>
        {draft.group && shares !== undefined ? <Share count={shares.get(draft.name) ?? 0} whole={list.whole} /> : <span />}
        {list.readOnly ? null : (
          <div className={styles.tools}>
            <Tool label={`Move ${name} up`} disabled={position === 0} onClick={() => { move(-1); }} Icon={IconArrowUp} />
            <Tool label={`Move ${name} down`} disabled={last} onClick={() => { move(1); }} Icon={IconArrowDown} />
            <Tool label={`Edit ${name}`} onClick={() => { list.onEdit(open ? undefined : draft.key); }} Icon={IconPencil} />
            <Tool label={`Delete ${name}`} onClick={() => { list.onDelete(draft.key); }} Icon={IconTrash} />
          </div>
        )}
      </div>
      {open ? (
        <Editor
          draft={draft}
          errors={errors}
          onChange={(change) => {
            list.onChange(draft.key, change);
          }}
          onClose={() => {
            list.onEdit(undefined);
            row.current?.focus();
          }}
        />
      ) : null}
    </li>
  );
}

interface ToolProps {
  readonly label: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly Icon: typeof IconKey;
}

function Tool({ label, disabled = false, onClick, Icon }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} disabled={disabled} onClick={onClick}>
        <Icon size={16} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}
