// How everything is doing: the store, the nodes, the version.

import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { status } from "../api/queries";
import type { Status } from "../api/types";
import { Amount } from "../ui/Amount";
import { Captured } from "../ui/Captured";
import { Empty } from "../ui/Empty";
import { bytes, exactly, lasting, plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

export function StatusPage() {
  const { data, error, refetch } = useQuery(status);
  return (
    <SystemFrame title="Status">
      {error === null ? null : (
        <ProblemNote
          what="The status could not be loaded"
          error={error}
          kept={data === undefined ? undefined : "What is below was true before."}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined ? error === null ? <Skeleton height={200} /> : null : <Everything status={data} stale={error !== null} />}
    </SystemFrame>
  );
}

function Everything({ status: { store, nodes, ...hub }, stale }: { readonly status: Status; readonly stale: boolean }) {
  return (
    <div className={stale ? "stale" : undefined}>
      <Block title="Hub">
        <Fact label="Version">{hub.version}</Fact>
        <Fact label="Up for">
          {lasting(Date.parse(hub.now) - Date.parse(hub.started_at))}, since <Moment at={hub.started_at} />
        </Fact>
        <Fact label="Policy">{hub.policy_version === 0 ? "nothing saved yet" : `version ${hub.policy_version}`}</Fact>
      </Block>
      <Block title="Store">
        <Fact label="Exchanges">{exactly(store.exchanges)}</Fact>
        <Fact label="On disk">
          {bytes(store.bytes_on_disk)}
          {store.exchanges > 0 ? `, ${bytes(store.bytes_on_disk / store.exchanges)} for each exchange` : ""}
        </Fact>
        <Fact label="Reaches">
          {store.span === null || store.span === undefined ? (
            "nothing stored yet"
          ) : (
            <>
              from <Moment at={store.span.from} /> to <Moment at={store.span.to} />
            </>
          )}
        </Fact>
        <Fact label="Live days (UTC)">{store.days.length === 0 ? "none" : store.days.join(", ")}</Fact>
        {store.damaged_files === 0 ? null : (
          <Fact label="Damaged">
            {plural(store.damaged_files, "file")} could not be read and {store.damaged_files === 1 ? "was" : "were"} moved aside; the log of the
            start names {store.damaged_files === 1 ? "it" : "them"}. What {store.damaged_files === 1 ? "it holds" : "they hold"} is not shown.
          </Fact>
        )}
        {store.import_days.length === 0 ? null : <Fact label="Imported days">{store.import_days.join(", ")}</Fact>}
      </Block>
      <h2 className={styles.subtitle}>Nodes</h2>
      {nodes.length === 0 ? (
        <Empty title="No node runs in this process">
          <p>The hub answers and takes imports, but nothing watches traffic.</p>
        </Empty>
      ) : (
        nodes.map((node) => (
          <section key={node.name} className={styles.node}>
            <h3>
              <Captured text={node.name} />
            </h3>
            {groups(node.counters).map(({ title, counters }) => (
              <dl key={title} className={styles.counters} aria-label={title}>
                {counters.map(({ name, value }) => (
                  <div key={name} data-trouble={(value > 0 && /shed|fail|drop|lost|broken|timeout|expired|busy/u.test(name)) || undefined}>
                    <dt>{name.replaceAll("_", " ")}</dt>
                    <dd>
                      <Amount value={value} />
                    </dd>
                  </div>
                ))}
              </dl>
            ))}
          </section>
        ))
      )}
      <p className={styles.aside}>Nodes count since their start. Asked again every 5 seconds.</p>
    </div>
  );
}

type Counters = Status["nodes"][number]["counters"];

/** What the proxy counts, and what the analysis behind it counts. */
function groups(counters: Counters): readonly { readonly title: string; readonly counters: Counters }[] {
  const proxy = counters.filter(({ name }) => name.startsWith("proxy_"));
  const analysis = counters.filter(({ name }) => !name.startsWith("proxy_"));
  return [
    { title: "Analysis", counters: analysis },
    { title: "Proxy", counters: proxy.map(({ name, value }) => ({ name: name.replace(/^proxy_/u, ""), value })) },
  ].filter((group) => group.counters.length > 0);
}

function Block({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section>
      <h2 className={styles.subtitle}>{title}</h2>
      <dl className={styles.facts}>{children}</dl>
    </section>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
