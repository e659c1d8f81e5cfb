// Exchanges that nodes saw recently, while they are kept; otherwise why there are none, and the switch.

import { Button, Skeleton, TextInput } from "@mantine/core";
import { IconRefresh, IconSearch } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AskOnce } from "../../ui/AskOnce";
import { bytes, plural } from "../../ui/format";
import { Moment } from "../../ui/Moment";
import { ProblemNote } from "../../ui/ProblemNote";
import { visible } from "../../ui/visible";
import { limitsOf, NotKept } from "./NotKept";
import styles from "./Point.module.css";
import { keepRecent, recentExchanges, recentSettings, type RecentSummary } from "./questions";

export interface RecentProps {
  readonly chosen: string | undefined;
  readonly onChoose: (id: string, title: string) => void;
}

const shownAtMost = 200;

export function Recent({ chosen, onChoose }: RecentProps) {
  const queries = useQueryClient();
  const list = useQuery({ ...recentExchanges, refetchOnMount: "always" });
  const settings = useQuery(recentSettings).data;
  const [typed, setTyped] = useState("");
  const [forgetting, setForgetting] = useState(false);
  const keep = useMutation({
    mutationFn: keepRecent,
    onSuccess: async (now) => {
      setForgetting(false);
      queries.setQueryData(recentSettings.queryKey, now);
      await queries.invalidateQueries({ queryKey: recentExchanges.queryKey });
    },
  });
  if (list.data === undefined) {
    return list.error === null ? (
      <div className={styles.recent} aria-busy="true" aria-label="Loading recent exchanges">
        <Skeleton height={28} />
        <Skeleton height={160} mt={10} />
      </div>
    ) : (
      <ProblemNote what="Recent exchanges could not be loaded" error={list.error} onRetry={() => void list.refetch()} />
    );
  }
  const limits = limitsOf(settings);
  if (!list.data.on) {
    return <NotKept>Nodes export chosen values and forget the rest, so there is no message to choose from.</NotKept>;
  }
  const words = typed.toLowerCase().split(/\s+/u).filter((word) => word !== "");
  const found = list.data.exchanges.filter((one) => words.every((word) => titleOf(one).toLowerCase().includes(word)));
  return (
    <div className={styles.recent}>
      <div className={styles.recentHead}>
        <TextInput
          aria-label="Filter recent exchanges"
          placeholder="method, host, path, status"
          size="xs"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
          }}
        />
        <Button variant="default" leftSection={<IconRefresh size={14} />} loading={list.isFetching} onClick={() => void list.refetch()}>
          Newer ones
        </Button>
      </div>
      {found.length === 0 ? (
        <p className={styles.nothing}>
          {list.data.exchanges.length === 0
            ? "None yet: they are kept from now on. Send a request through a node, then ask for newer ones."
            : "None of these match."}
        </p>
      ) : (
        <ul className={styles.exchanges} aria-label="Recent exchanges" data-stale={list.isFetching || undefined}>
          {found.slice(0, shownAtMost).map((one) => (
            <li key={one.exchange_id}>
              <button
                type="button"
                className={styles.exchange}
                aria-current={one.exchange_id === chosen || undefined}
                onClick={() => {
                  onChoose(one.exchange_id, titleOf(one));
                }}
              >
                <span className={styles.clock}>
                  <Moment at={one.ts} as="clock" />
                </span>
                <bdi className={styles.method}>{visible(one.method)}</bdi>
                <bdi className={styles.path} title={visible(`${one.host ?? ""}${one.path}`)}>
                  <span className={styles.quiet}>{visible(one.host ?? "")}</span>
                  {visible(one.path)}
                </bdi>
                <span className={styles.status} data-class={one.status === null ? "none" : Math.floor(one.status / 100)}>
                  {one.status ?? one.outcome.replaceAll("_", " ")}
                </span>
                <span className={styles.sizes}>{bytes(one.request_bytes + one.response_bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <p className={styles.recentFoot}>
        <span className={styles.quiet}>
          {found.length > shownAtMost ? `The newest ${shownAtMost} of ${plural(found.length, "exchange")}. ` : ""}
          In memory only, {limits}; each look is in the audit log.
        </span>
        <button
          type="button"
          className={styles.action}
          onClick={() => {
            setForgetting(true);
          }}
        >
          Stop keeping them
        </button>
      </p>
      <AskOnce
        open={forgetting}
        title="Forget recent exchanges?"
        keep="Keep them"
        act="Stop and forget"
        acting={keep.isPending}
        onKeep={() => {
          setForgetting(false);
        }}
        onAct={() => {
          keep.mutate(false);
        }}
      >
        <p>{plural(list.data.exchanges.length, "exchange")} in memory will be forgotten at once. Sessions stay as they are.</p>
        {keep.error === null ? null : <ProblemNote what="Nothing was forgotten" error={keep.error} />}
      </AskOnce>
    </div>
  );
}

function titleOf({ method, host, path, status, outcome }: RecentSummary): string {
  return `${method} ${host ?? ""}${path} ${status ?? outcome}`;
}
