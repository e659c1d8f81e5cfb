// An exchange that a node still holds, whole, as the reason why it changes session is found in it.

import { Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { asProblem } from "../../api/problem";
import { emptySearch } from "../../filters/search";
import { Moment } from "../../ui/Moment";
import { ProblemNote } from "../../ui/ProblemNote";
import { MessageView } from "../point/MessageView";
import { readSides } from "../point/placed";
import { recentMessages } from "../point/questions";
import { SessionText } from "./Changes";
import type { Example } from "./compare";
import styles from "./TryOut.module.css";

export interface RecentExchangeProps {
  readonly example: Example;
  readonly against: number;
  readonly onClose: () => void;
}

export function RecentExchange({ example, against, onClose }: RecentExchangeProps) {
  const narrow = useMediaQuery("(max-width: 62em)");
  const { exchange_id: id, ts, current, draft } = example;
  const { data, error, refetch } = useQuery(recentMessages({ kind: "recent", key: id, id, title: "" }));
  const sides = useMemo(() => (data === undefined ? undefined : readSides(data)), [data]);
  const isGone = error !== null && asProblem(error).status === 404;
  return (
    <Modal
      opened
      onClose={onClose}
      title={
        <>
          An exchange that changes session, <Moment at={ts} />
        </>
      }
      size="min(860px, 96vw)"
      fullScreen={narrow}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <dl className={styles.both}>
        <dt>Version {against}</dt>
        <dd>
          <SessionText session={current} />{" "}
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: current.session_id }}
            search={{ ...emptySearch, exchange: id }}
            target="_blank"
            title="In a new tab: the draft stays as it is here"
          >
            Open this session ↗
          </Link>
        </dd>
        <dt>Draft</dt>
        <dd>
          <SessionText session={draft} />
        </dd>
      </dl>
      {isGone ? (
        <p className={styles.quiet}>The nodes no longer hold this exchange: newer ones took its room. Its session is still stored.</p>
      ) : error === null ? (
        <div className={styles.message}>
          <MessageView sides={sides} points={none} selections={none} chosen={undefined} stale={false} onChoose={nothing} />
        </div>
      ) : (
        <ProblemNote what="The exchange could not be shown" error={error} onRetry={() => void refetch()} />
      )}
    </Modal>
  );
}

const none: readonly never[] = [];

/** Nothing is chosen here: the message is only read. */
function nothing(): void {}
