// A session's exchanges, oldest first: it reads as a story. `j` and `k` walk, `e` goes to the next error.

import { Button, Loader } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode, type Ref, useEffect, useMemo, useRef } from "react";
import { exchange as exchangeQuery } from "../api/queries";
import type { Exchange } from "../api/types";
import { Empty } from "../ui/Empty";
import { exactly, plural } from "../ui/format";
import { Details } from "./Details";
import styles from "./Exchanges.module.css";
import { ExchangeRow } from "./ExchangeRow";
import { isError } from "./words";

export interface ExchangeListProps {
  readonly exchanges: readonly Exchange[];
  readonly total: number;
  readonly loading: boolean;
  readonly stale: boolean;
  readonly filtered: boolean;
  readonly oneHost: boolean;
  readonly open: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly onMore: () => void;
  /** Looks for the next error behind what is loaded. */
  readonly onNextError: (after: Exchange | undefined) => void;
  readonly onDropFilters: () => void;
  readonly sessionLink: (sessionId: string, label: ReactNode) => ReactNode;
}

export function ExchangeList(props: ExchangeListProps) {
  const { exchanges, open, onOpen } = props;
  const active = useRef<HTMLButtonElement | null>(null);
  /** Walked with the keyboard: the focus goes along, so that Tab continues from what is read. */
  const walked = useRef(false);
  const at = useMemo(() => exchanges.findIndex((one) => one.exchange_id === open), [exchanges, open]);

  useEffect(() => {
    if (open !== undefined) {
      active.current?.scrollIntoView({ block: "nearest" });
      if (walked.current) {
        active.current?.focus({ preventScroll: true });
      }
    }
    walked.current = false;
  }, [open, at]);

  const step = (by: 1 | -1): void => {
    const next = exchanges[at === -1 ? (by === 1 ? 0 : exchanges.length - 1) : at + by];
    if (next !== undefined) {
      walked.current = true;
      onOpen(next.exchange_id);
    }
    if (at + by >= exchanges.length - 5 && props.hasMore && !props.loadingMore) {
      props.onMore();
    }
  };
  const nextError = (): void => {
    const found = exchanges.slice(at + 1).find((one) => isError(one));
    if (found === undefined) {
      props.onNextError(exchanges.at(-1));
    } else {
      walked.current = true;
      onOpen(found.exchange_id);
    }
  };
  useHotkeys([
    ["j", () => { step(1); }],
    ["k", () => { step(-1); }],
    ["e", nextError],
  ]);

  return (
    <section className={styles.list} aria-label="Exchanges">
      <header className={styles.head}>
        <span role="status">
          <b title={exactly(props.total)}>{plural(props.total, "exchange")}</b>
          {props.filtered ? (props.total === 1 ? " passes the filters" : " pass the filters") : ""}, oldest first
        </span>
        <span className={styles.keys}>
          <kbd>j</kbd> <kbd>k</kbd> walk · <kbd>e</kbd> next error · <kbd>Esc</kbd> closes
        </span>
      </header>
      {open !== undefined && at === -1 && !props.loading ? (
        <Pinned id={open} sessionLink={props.sessionLink} rowRef={active} onClose={() => { onOpen(undefined); }} oneHost={props.oneHost} />
      ) : null}
      {exchanges.length === 0 && !props.loading ? (
        <Empty title="No exchange passes these filters">
          <p>The session has others.</p>
          <Button variant="default" onClick={props.onDropFilters}>
            Show all requests
          </Button>
        </Empty>
      ) : null}
      <div className={styles.rows} data-stale={props.stale || undefined}>
        {exchanges.map((one) => {
          const isOpen = one.exchange_id === open;
          return (
            <Fragment key={one.exchange_id}>
              <ExchangeRow
                exchange={one}
                open={isOpen}
                oneHost={props.oneHost}
                rowRef={isOpen ? active : undefined}
                onToggle={(id) => {
                  onOpen(isOpen ? undefined : id);
                }}
              />
              {isOpen ? <Details id={one.exchange_id} sessionLink={props.sessionLink} /> : null}
            </Fragment>
          );
        })}
      </div>
      {props.hasMore ? (
        <div className={styles.more}>
          <Button variant="default" disabled={props.loadingMore} onClick={props.onMore}>
            {props.loadingMore ? <Loader size={14} mr={8} /> : null}
            {exactly(exchanges.length)} of {exactly(props.total)} shown · show more
          </Button>
        </div>
      ) : null}
    </section>
  );
}

interface PinnedProps {
  readonly id: string;
  readonly oneHost: boolean;
  readonly onClose: () => void;
  readonly sessionLink: ExchangeListProps["sessionLink"];
  readonly rowRef: Ref<HTMLButtonElement>;
}

/** An open exchange that is not among the loaded ones: it lies further on, or the filters leave it out. */
function Pinned({ id, oneHost, onClose, sessionLink, rowRef }: PinnedProps) {
  const { data } = useQuery(exchangeQuery(id));
  return (
    <div className={styles.pinned}>
      <p>Opened from the thread or a link; it stands further on in the list, or the filters leave it out.</p>
      {data === undefined ? null : <ExchangeRow exchange={data} open oneHost={oneHost} onToggle={onClose} rowRef={rowRef} />}
      <Details id={id} sessionLink={sessionLink} />
    </div>
  );
}
