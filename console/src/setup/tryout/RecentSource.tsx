// The exchanges that nodes hold: how many and of which time, or why there are none.

import { ActionIcon, Skeleton } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { exactly } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import { NotKept } from "../point/NotKept";
import { recentExchanges, recentSettings } from "../point/questions";
import { Span } from "./Span";
import styles from "./TryOut.module.css";

/** The count is asked for again while the page is looked at; the list, which is a look, only when wanted. */
const countEvery = 4000;

export function RecentSource({ onKept }: {
  /** Undefined while they are not kept, or while that is not known. */
  readonly onKept: (kept: number | undefined) => void }) {
  const list = useQuery({ ...recentExchanges, refetchOnMount: "always" });
  const settings = useQuery({ ...recentSettings, refetchInterval: countEvery }).data;
  const { data, refetch } = list;
  const listed = data?.exchanges.length ?? 0;
  // The setting is the newer of the two: somebody else may turn the switch.
  const isOn = settings?.on ?? data?.on;
  const kept = isOn === true && data !== undefined ? (settings?.kept ?? listed) : undefined;
  useEffect(() => {
    onKept(kept);
  }, [kept, onKept]);
  const firstCame = listed === 0 && (kept ?? 0) > 0;
  const wasSwitched = data !== undefined && isOn !== data.on;
  useEffect(() => {
    if (firstCame || wasSwitched) {
      void refetch();
    }
  }, [firstCame, wasSwitched, refetch]);
  if (data === undefined) {
    return list.error === null ? (
      <Skeleton height={18} width={320} aria-label="Loading recent exchanges" />
    ) : (
      <ProblemNote what="Recent exchanges could not be loaded" error={list.error} onRetry={() => void refetch()} />
    );
  }
  if (kept === undefined) {
    return <NotKept>Nodes export chosen values and forget the rest, so there are no messages to try a draft on. A recording can be used instead.</NotKept>;
  }
  // They stand by when they ended; what is said is when they began.
  const began = data.exchanges.map(({ ts }) => ts).toSorted((one, other) => Date.parse(one) - Date.parse(other));
  const [first] = began;
  const last = began.at(-1);
  if (first === undefined || last === undefined) {
    return (
      <p className={styles.quiet}>
        The nodes hold no exchange yet: they are kept from now on. Send a request through a node, and it shows here by itself.
      </p>
    );
  }
  return (
    <p className={styles.held}>
      <span>
        The nodes hold <b>{exactly(kept)}</b> {kept === 1 ? "exchange" : "exchanges"}
        {settings === undefined ? "" : ` of at most ${exactly(settings.exchanges)}`}, seen <Span from={first} to={last} />
        {kept === listed ? "" : `, and ${exactly(Math.abs(kept - listed))} ${kept > listed ? "more since" : "fewer by now"}`}
      </span>
      <ActionIcon size="sm" aria-label="Look again at what they hold" title="Look again" loading={list.isFetching} onClick={() => void refetch()}>
        <IconRefresh size={14} />
      </ActionIcon>
    </p>
  );
}
