// The ordered list: every key is a rung with its share of the last day's exchanges on it.

import { Badge } from "@mantine/core";
import { IconKey, IconLock } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { Captured } from "../ui/Captured";
import { byRow, type RowComplaints } from "./complaints";
import { isEverywhere, move, type ParameterDraft, replace } from "./draft";
import { ParameterEditor } from "./ParameterEditor";
import { PointPath } from "./PointPath";
import { RowTools } from "./RowTools";
import { scopeWords } from "./scopeWords";
import { Share } from "./Share";
import { Sortable, useSortableRow } from "./Sortable";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export interface LadderProps {
  /** Exchanges of the last day by the name of the key that decided; undefined while unknown. */
  readonly shares: ReadonlyMap<string, number> | undefined;
  readonly whole: number;
}

export function Ladder({ shares, whole }: LadderProps) {
  const { draft, problems, warnings, change } = useSetup();
  const { parameters } = draft;
  const complaints = byRow(problems, "parameters");
  const worries = byRow(warnings, "parameters");
  const keys = parameters.filter((parameter) => parameter.group);
  const onMove = (from: number, to: number): void => {
    change({ parameters: move(parameters, from, to) });
  };
  return (
    <Sortable ids={parameters.map(({ key }) => String(key))} onMove={onMove}>
      <ol className={styles.ladder} aria-label="Parameters in order">
        {parameters.map((parameter, position) => (
          <Rung
            key={parameter.key}
            parameter={parameter}
            position={position}
            rung={parameter.group ? keys.indexOf(parameter) + 1 : undefined}
            complaints={complaints.get(position)}
            worries={worries.get(position)}
            share={parameter.group && shares !== undefined ? { count: shares.get(parameter.name) ?? 0, whole } : undefined}
            onMove={onMove}
          />
        ))}
      </ol>
    </Sortable>
  );
}

interface RungProps {
  readonly parameter: ParameterDraft;
  readonly position: number;
  readonly rung: number | undefined;
  readonly complaints: RowComplaints | undefined;
  /** What is allowed but may not be meant. */
  readonly worries: RowComplaints | undefined;
  readonly share: { readonly count: number; readonly whole: number } | undefined;
  readonly onMove: (from: number, to: number) => void;
}

function Rung({ parameter, position, rung, complaints, worries, share, onMove }: RungProps) {
  const { base, draft, readOnly, change, open: held, setOpen } = useSetup();
  const row = useRef<HTMLButtonElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    // The row keeps the focus while it is moved.
    if (moved.current) {
      moved.current = false;
      row.current?.focus();
    }
  }, [position]);
  const step = (by: -1 | 1): void => {
    moved.current = true;
    onMove(position, position + by);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && !readOnly) {
      event.preventDefault();
      step(event.key === "ArrowUp" ? -1 : 1);
    }
  };
  const id = `parameters ${parameter.key}`;
  const open = held === id;
  const toggle = (): void => {
    setOpen(open ? undefined : id);
  };
  const name = parameter.name === "" ? "unnamed" : parameter.name;
  const sortable = useSortableRow(String(parameter.key), name, readOnly || open);
  const [wrong] = complaints?.values() ?? [];
  return (
    <li
      ref={sortable.ref}
      style={sortable.style}
      className={styles.rung}
      data-key={rung === undefined ? undefined : true}
      data-open={open || undefined}
      data-dragging={sortable.dragging || undefined}
    >
      <div className={styles.row}>
        <span className={styles.order}>
          {sortable.handle}
          <span className={styles.number} aria-hidden="true">
            {rung ?? "·"}
          </span>
        </span>
        <div className={styles.what}>
          <span className={styles.name}>
            <button
              ref={row}
              type="button"
              className={styles.open}
              aria-expanded={open}
              disabled={readOnly}
              title={readOnly ? undefined : "Enter edits, Alt with arrows moves"}
              onKeyDown={onKeyDown}
              onClick={toggle}
            >
              <Captured text={name} />
            </button>
            <Marks parameter={parameter} />
          </span>
          <PointPath point={parameter.point} />
          {parameter.with.map((point, further) => (
            // Points have no identity but their place.
            // oxlint-disable-next-line react/no-array-index-key -- see above
            <span key={further} className={styles.and}>
              and <PointPath point={point} />
            </span>
          ))}
          {isEverywhere(parameter.scope) ? null : (
            <span className={styles.aside}>
              only <Captured text={scopeWords(parameter.scope)} wrap />
            </span>
          )}
          {wrong === undefined || open ? null : <p className={styles.error}>{wrong}</p>}
          {[...(worries?.values() ?? [])].map((reason) => (
            <p key={reason} className={styles.worry}>
              <Captured text={reason} wrap />
            </p>
          ))}
        </div>
        {share === undefined ? <span /> : <Share count={share.count} whole={share.whole} />}
        {readOnly ? null : (
          <RowTools
            name={name}
            first={position === 0}
            last={position === draft.parameters.length - 1}
            onMove={step}
            onEdit={toggle}
            onDelete={() => {
              change({ parameters: draft.parameters.filter(({ key }) => key !== parameter.key) });
            }}
          />
        )}
      </div>
      {open && !readOnly ? (
        <ParameterEditor
          draft={parameter}
          complaints={complaints}
          furtherPoints={base.limits.further_points}
          onChange={(part) => {
            change({ parameters: replace(draft.parameters, parameter.key, part) });
          }}
          onClose={() => {
            setOpen(undefined);
            row.current?.focus();
          }}
        />
      ) : null}
    </li>
  );
}

function Marks({ parameter }: { readonly parameter: ParameterDraft }) {
  return (
    <>
      {parameter.group ? <Badge size="sm" leftSection={<IconKey size={11} />}>key</Badge> : null}
      {parameter.kind === "none" ? null : <Badge size="sm" color="gray">{parameter.kind === "user" ? "User" : "Role"}</Badge>}
      {parameter.hashed === true ? <Badge size="sm" color="gray" leftSection={<IconLock size={11} />}>hashed</Badge> : null}
      {parameter.namespace === "" ? null : <Badge size="sm" color="gray">in {parameter.namespace}</Badge>}
    </>
  );
}
