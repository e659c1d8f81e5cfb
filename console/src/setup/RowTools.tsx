// The buttons at the end of a row.

import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPencil, IconTrash } from "@tabler/icons-react";
import styles from "./Setup.module.css";

export interface RowToolsProps {
  readonly name: string;
  /** Left out where order has no meaning. */
  readonly onMove?: ((by: -1 | 1) => void) | undefined;
  readonly first?: boolean;
  readonly last?: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}

export function RowTools({ name, onMove, first = false, last = false, onEdit, onDelete }: RowToolsProps) {
  return (
    <div className={styles.tools}>
      {onMove === undefined ? null : (
        <>
          <Tool label={`Move ${name} up`} disabled={first} onClick={() => { onMove(-1); }} Icon={IconArrowUp} />
          <Tool label={`Move ${name} down`} disabled={last} onClick={() => { onMove(1); }} Icon={IconArrowDown} />
        </>
      )}
      <Tool label={`Edit ${name}`} onClick={onEdit} Icon={IconPencil} />
      <Tool label={`Delete ${name}`} onClick={onDelete} Icon={IconTrash} />
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly Icon: typeof IconPencil;
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
