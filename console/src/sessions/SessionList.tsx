// The list with its keyboard: arrows walk, Enter opens, the session follows.

import { Button, Loader, SegmentedControl } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, type Ref, useEffect, useMemo } from "react";
import type { SessionPart } from "../api/types";
import type { Span } from "../thread/geometry";
import { exactly, plural } from "../ui/format";
import { partKey } from "./identity";
import { SessionHeading, SessionRow } from "./SessionRow";
import styles from "./SessionList.module.css";

export interface SessionListProps {
  readonly parts: readonly SessionPart[];
  readonly total: number;
  /** What time is counted, in words. */
  readonly over: string;
  readonly selected: string | undefined;
  readonly stale: boolean;
  readonly ownScale: boolean;
  readonly onScale: (own: boolean) => void;
  /** Whether a session is open beside the list. */
  readonly narrow: boolean;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly onMore: () => void;
  /** `follow`: walked onto, `open`: asked for. */
  readonly onOpen: (part: SessionPart, how: "follow" | "open") => void;
  readonly hrefOf: (part: SessionPart) => string;
  readonly listRef: Ref<HTMLDivElement>;
  readonly aside: ReactNode;
}

export function SessionList({
  parts,
  total,
  over,
  selected,
  stale,
  ownScale,
  onScale,
  narrow,
  hasMore,
  loadingMore,
  onMore,
  onOpen,
  hrefOf,
  listRef,
  aside,
}: SessionListProps) {
  // One heading has the grid of every row, so its thread cell tells how wide the threads are drawn.
  const { ref: threadCell, width: threadWidth } = useElementSize();
  const common = useMemo(() => (ownScale ? undefined : spanOfAll(parts)), [parts, ownScale]);

  useEffect(() => {
    if (selected !== undefined) {
      document.getElementById(rowId(selected))?.scrollIntoView({ block: "nearest" });
    }
  }, [selected]);

  const walk = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const at = parts.findIndex((part) => partKey(part) === selected);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: parts.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const part = parts[Math.min(Math.max(to, 0), parts.length - 1)];
      if (part !== undefined && partKey(part) !== selected) {
        onOpen(part, "follow");
      }
      if (to >= parts.length - 3 && hasMore && !loadingMore) {
        onMore();
      }
    } else if (event.key === "Enter") {
      const part = parts[Math.max(at, 0)];
      if (part !== undefined) {
        event.preventDefault();
        onOpen(part, "open");
      }
    }
  };

  return (
    <section className={styles.list} aria-label="Sessions">
      <header className={styles.head}>
        <p className={styles.counting} role="status">
          <b title={`${exactly(total)}; a session that goes on over several days (UTC) has a row for each`}>
            {plural(total, "session")}
          </b>
          , {over}
        </p>
        {narrow ? null : (
          <SegmentedControl
            className={styles.scale ?? ""}
            aria-label="Time scale of the threads"
            value={ownScale ? "own" : "same"}
            onChange={(value) => {
              onScale(value === "own");
            }}
            data={[
              { value: "same", label: "same scale" },
              { value: "own", label: "own scale" },
            ]}
          />
        )}
        {aside}
      </header>
      <div className={styles.scroll} data-stale={stale || undefined}>
        <SessionHeading narrow={narrow} threadRef={threadCell} span={common} threadWidth={threadWidth} />
        <div
          ref={listRef}
          className={styles.rows}
          role="listbox"
          aria-label="Sessions, newest first"
          aria-activedescendant={selected === undefined ? undefined : rowId(selected)}
          tabIndex={0}
          onKeyDown={walk}
        >
          {parts.map((part) => {
            const key = partKey(part);
            const isSelected = key === selected;
            return (
              <a
                key={key}
                id={rowId(key)}
                role="option"
                aria-selected={isSelected}
                className={styles.link}
                href={hrefOf(part)}
                tabIndex={-1}
                onClick={(event) => {
                  // A modified click is the browser's: it opens a tab.
                  if (!event.metaKey && !event.ctrlKey && !event.shiftKey) {
                    event.preventDefault();
                    onOpen(part, "open");
                  }
                }}
              >
                <SessionRow part={part} selected={isSelected} span={common} threadWidth={threadWidth} narrow={narrow} />
              </a>
            );
          })}
        </div>
        {hasMore ? (
          <div className={styles.more}>
            <Button variant="default" onClick={onMore} disabled={loadingMore} tabIndex={-1}>
              {loadingMore ? <Loader size={14} mr={8} /> : null}
              {exactly(parts.length)} of {exactly(total)} shown · show more
            </Button>
          </div>
        ) : null}
      </div>
    </section>
  );
}

function rowId(key: string): string {
  return `part-${key.replace(" ", "-")}`;
}

/** From the first to the last exchange of all rows, with a little air. */
function spanOfAll(parts: readonly SessionPart[]): Span | undefined {
  if (parts.length === 0) {
    return undefined;
  }
  const from = Math.min(...parts.map((part) => Date.parse(part.first)));
  const to = Math.max(...parts.map((part) => Date.parse(part.last)));
  const air = Math.max((to - from) * 0.01, 500);
  return { from: from - air, to: to + air };
}
