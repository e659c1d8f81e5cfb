// Keys: how every rule that decides sessions did over the chosen time, and what to worry about.

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { keyHealth } from "../api/policy";
import type { KeyReport, KeyReportList } from "../api/types";
import { RangePicker, inWords } from "../sessions/RangePicker";
import { useVersionMarks } from "../sessions/useVersionMarks";
import { useAddress, useSetAddress } from "../shell/address";
import { Empty } from "../ui/Empty";
import { exactly } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { KeyRow } from "./KeyRow";
import styles from "./Keys.module.css";

const refreshEvery = 30_000;

export function KeysPage() {
  const search = useAddress();
  const setAddress = useSetAddress();
  const { range } = search.scope;
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...keyHealth(range),
    refetchInterval: range.kind === "last" ? refreshEvery : false,
  });
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1>Keys</h1>
          <p className={styles.lead}>
            {data === undefined ? "What decides sessions, and how well" : `${exactly(data.exchanges)} exchanges, ${inWords(range)}`}
          </p>
        </div>
        <RangePicker
          range={range}
          onChange={(chosen) => {
            setAddress({ scope: { ...search.scope, range: chosen } });
          }}
        />
      </header>
      {error === null ? null : (
        <ProblemNote
          what="The keys could not be looked at"
          error={error}
          kept={data === undefined ? undefined : "What is below was true before."}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined ? (
        error === null ? <Skeleton height={220} mt={20} aria-label="Looking at the keys" /> : null
      ) : (
        <div className={isPlaceholderData || error !== null ? "stale" : undefined}>
          <Health health={data} />
        </div>
      )}
    </div>
  );
}

function Health({ health }: { readonly health: KeyReportList }) {
  const own = health.keys.filter(({ kind, in_policy: held }) => kind === "configured" && held);
  const former = health.keys.filter(({ kind, in_policy: held }) => kind === "configured" && !held);
  const builtIn = health.keys.filter(({ kind }) => kind === "builtin");
  const fallback = health.keys.filter(({ kind }) => kind === "fallback");
  const stopped = own.filter(({ warnings }) => warnings.some(({ kind }) => kind === "stopped"));
  if (health.exchanges === 0) {
    return (
      <Empty title="No exchanges in this time">
        <p>Every figure here stands on exchanges. Choose a longer time, or send some traffic through the proxy.</p>
      </Empty>
    );
  }
  return (
    <>
      {stopped.length === 0 ? null : (
        <p className={styles.alarm} role="alert">
          {stopped.length === 1 ? "A key has" : `${stopped.length} keys have`} stopped working:{" "}
          {stopped.map(({ key }) => `“${key}”`).join(", ")}. What it grouped is now grouped by the keys after it. Did a release
          move the value?
        </p>
      )}
      {own.length === 0 ? (
        <p className={styles.lead}>The policy has no key of its own: the built-in set decides.</p>
      ) : (
        <Group title="Keys of the policy, in their order" keys={own} health={health} numbered />
      )}
      {former.length === 0 ? null : <Group title="Keys of earlier versions" keys={former} health={health} />}
      {builtIn.length === 0 ? null : <Group title="Built-in set" keys={builtIn} health={health} />}
      {fallback.length === 0 ? null : <Group title="Nothing identified the client" keys={fallback} health={health} />}
    </>
  );
}

interface GroupProps {
  readonly title: string;
  readonly keys: readonly KeyReport[];
  readonly health: KeyReportList;
  readonly numbered?: boolean;
}

function Group({ title, keys, health, numbered = false }: GroupProps) {
  const marks = useVersionMarks();
  return (
    <section className={styles.group} aria-label={title}>
      <h2>{title}</h2>
      <ol className={styles.list}>
        {keys.map((key, position) => (
          <KeyRow key={`${key.kind} ${key.key}`} report={key} health={health} number={numbered ? position + 1 : undefined} marks={marks} />
        ))}
      </ol>
    </section>
  );
}
