// Every point of the message with its value: the way through the message without a mouse.

import { TextInput } from "@mantine/core";
import { IconKey, IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from "react";
import { exactly } from "../../ui/format";
import { visible } from "../../ui/visible";
import { bringIntoSight } from "./bringIntoSight";
import { filterPoints, type SeenPoint } from "./listed";
import styles from "./Point.module.css";

export interface PointListProps {
  readonly points: readonly SeenPoint[];
  /** The message has more points than the hub lists. */
  readonly truncated: boolean;
  readonly chosen: string | undefined;
  readonly loading: boolean;
  readonly onChoose: (point: string) => void;
}

const shownAtMost = 150;

export function PointList({ points, truncated, chosen, loading, onChoose }: PointListProps) {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const filter = useDeferredValue(typed);
  const found = useMemo(() => filterPoints(points, filter), [points, filter]);
  const shown = found.slice(0, shownAtMost);
  const at = Math.min(active, shown.length - 1);
  useEffect(() => {
    // Wherever it was chosen, it is seen here too.
    bringIntoSight(list.current, list.current?.querySelector("[aria-selected=true]"));
  }, [chosen, points]);
  const walk = (to: number): void => {
    const next = Math.max(0, Math.min(to, shown.length - 1));
    setActive(next);
    bringIntoSight(list.current, list.current?.children.item(next));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: ReadonlyMap<string, number> = new Map([["ArrowDown", 1], ["ArrowUp", -1], ["PageDown", 10], ["PageUp", -10]]);
    const by = steps.get(event.key);
    if (by !== undefined) {
      event.preventDefault();
      walk(at + by);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const point = shown[at];
      if (point !== undefined) {
        onChoose(point.listed.point);
      }
    }
  };
  return (
    <div className={styles.list}>
      <TextInput
        label="Points of this message"
        placeholder="name, value"
        size="xs"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSectionWidth={74}
        rightSection={<span className={styles.count}>{exactly(found.length)}{truncated ? "+" : ""}</span>}
        role="combobox"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={shown[at] === undefined ? undefined : `${id}-${at}`}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={id} className={styles.points} role="listbox" aria-label="Points of this message" data-stale={filter !== typed || undefined}>
        {shown.map(({ listed }, position) => (
          // The keyboard is with the field above, as in any combobox.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={listed.point}
            id={`${id}-${position}`}
            role="option"
            aria-selected={listed.point === chosen}
            className={styles.listed}
            data-active={position === at || undefined}
            onMouseDown={(event) => {
              event.preventDefault();
            }}
            onClick={() => {
              setActive(position);
              onChoose(listed.point);
            }}
          >
            <bdi className={styles.listedPoint} title={visible(listed.point)}>
              {visible(listed.point.replaceAll(" > ", " › "))}
            </bdi>
            <span className={styles.listedValue}>
              {listed.credential ? <IconKey size={11} aria-label="credentials" /> : null}
              <bdi>{listed.value === null ? listed.found : listed.value.content.text === null ? "no text" : visible(listed.value.content.text.slice(0, 120))}</bdi>
            </span>
          </li>
        ))}
      </ul>
      <p className={styles.quiet}>
        {found.length > shown.length
          ? `${exactly(found.length - shown.length)} more: type to narrow them.`
          : truncated && !loading
            ? "The message has more points than are listed."
            : found.length === 0 && !loading
              ? points.length === 0
                ? "No points yet: there is no message."
                : "Nothing of that name or value."
              : ""}
      </p>
    </div>
  );
}
