import { IconAlertTriangle, IconArrowRightBar, IconChevronRight } from "@tabler/icons-react";
import { memo, type Ref } from "react";
import type { Exchange } from "../api/types";
import { Captured } from "../ui/Captured";
import { bytes, took } from "../ui/format";
import { Moment } from "../ui/Moment";
import styles from "./Exchanges.module.css";
import { ending, statusKind } from "./words";

/** What was asked for where the path does not say it: of a gRPC call the path is the operation. */
function operationBeside({ operation, path }: Exchange): string | undefined {
  return operation === null || operation === undefined || path.endsWith(operation) ? undefined : operation;
}

export interface ExchangeRowProps {
  readonly exchange: Exchange;
  readonly open: boolean;
  /** Whether the host goes without saying. */
  readonly oneHost: boolean;
  readonly onToggle: (id: string) => void;
  readonly rowRef: Ref<HTMLButtonElement> | undefined;
}

export const ExchangeRow = memo(function ExchangeRow({ exchange, open, oneHost, onToggle, rowRef }: ExchangeRowProps) {
  const kind = statusKind(exchange);
  const notes = [
    exchange.request_session_id === null || exchange.request_session_id === undefined ? "" : "the request belongs to another session",
    exchange.parse_errors.length === 0 ? "" : "a body could not be parsed to its end",
    exchange.session_uncertain ? "the decision is uncertain" : "",
  ].filter((note) => note !== "");
  const operation = operationBeside(exchange);
  return (
    <button
      type="button"
      ref={rowRef}
      className={styles.row}
      aria-expanded={open}
      data-open={open || undefined}
      onClick={() => {
        onToggle(exchange.exchange_id);
      }}
    >
      <IconChevronRight size={14} className={styles.chevron} aria-hidden />
      <span className={styles.time}>
        <Moment at={exchange.ts} as="clock" />
      </span>
      <span className={styles.method}>{exchange.method.slice(0, 8)}</span>
      <span className={styles.path}>
        {oneHost || exchange.host === null || exchange.host === undefined ? null : (
          <span className={styles.host}>
            <Captured text={exchange.host} mono />
          </span>
        )}
        <span className={styles.target}>
          <Captured text={exchange.query === null || exchange.query === undefined ? exchange.path : `${exchange.path}?${exchange.query}`} mono />
        </span>
        {operation === undefined ? null : (
          <span className={styles.operation}>
            <Captured text={operation} mono />
          </span>
        )}
        {notes.length === 0 ? null : (
          <span className={styles.notes} title={notes.join("; ")} role="img" aria-label={notes.join("; ")}>
            {exchange.request_session_id === null || exchange.request_session_id === undefined ? (
              <IconAlertTriangle size={13} />
            ) : (
              <IconArrowRightBar size={14} />
            )}
          </span>
        )}
      </span>
      <span className={styles.status} data-kind={kind} title={ending(exchange.outcome)}>
        {exchange.status ?? "—"}
        {exchange.outcome === "completed" || exchange.status === null || exchange.status === undefined ? "" : "*"}
      </span>
      <span className={styles.number}>
        {exchange.duration_us === null || exchange.duration_us === undefined ? "" : took(exchange.duration_us)}
      </span>
      <span className={styles.number}>{bytes(exchange.response_bytes)}</span>
    </button>
  );
});
