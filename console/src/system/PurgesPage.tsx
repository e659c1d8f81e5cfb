// What was purged, and purging: what it means in numbers first, then why, then one question.

import { Button, Table } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { purges } from "../api/purges";
import type { Purge } from "../api/types";
import { Captured } from "../ui/Captured";
import { exactly, plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import { PurgeForm } from "./PurgeForm";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

export function PurgesPage() {
  const list = useInfiniteQuery(purges);
  const records = list.data?.pages.flatMap((page) => page.purges) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  return (
    <SystemFrame title="Purges">
      <p className={styles.lead}>
        What is purged leaves all that is stored, for good. What comes later is new and stays; importing a file again brings
        its exchanges back.
      </p>
      <PurgeForm />
      {list.error === null ? null : (
        <ProblemNote what="The record could not be loaded" error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.data === undefined ? null : (
        <>
          <p className={styles.aside}>{total === 0 ? "Nothing was purged yet." : `${plural(total, "purge")}, newest first.`}</p>
          {total === 0 ? null : (
            <div className={styles.scroll} role="region" aria-label="Record" tabIndex={0}>
              <Table miw={760}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Asked</Table.Th>
                    <Table.Th>What</Table.Th>
                    <Table.Th>Why</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th>Exchanges</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {records.map((purge) => (
                    <Row key={purge.id} purge={purge} />
                  ))}
                </Table.Tbody>
              </Table>
            </div>
          )}
          {list.hasNextPage ? (
            <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {exactly(records.length)} of {exactly(total)} shown · show more
            </Button>
          ) : null}
        </>
      )}
    </SystemFrame>
  );
}

function Row({ purge }: { readonly purge: Purge }) {
  const { counts } = purge;
  return (
    <Table.Tr>
      <Table.Td>
        <Moment at={purge.asked_at} /> by <Captured text={purge.asked_by} />
      </Table.Td>
      <Table.Td>
        {purge.kind} <Captured text={purge.value} mono hover={purge.kind === "user" ? userHover(purge.value) : purge.value} />
      </Table.Td>
      <Table.Td>
        <Captured text={purge.reason} wrap />
      </Table.Td>
      <Table.Td>
        <State purge={purge} />
      </Table.Td>
      <Table.Td>
        {counts.deleted > 0 ? `${exactly(counts.deleted)} deleted` : ""}
        {counts.deleted > 0 && counts.changed > 0 ? ", " : ""}
        {counts.changed > 0 ? `${exactly(counts.changed)} changed` : ""}
        {counts.deleted === 0 && counts.changed === 0 ? "none" : ` on ${plural(counts.days, "day")}`}
      </Table.Td>
    </Table.Tr>
  );
}

function userHover(digits: string): string {
  return `the user's SHA-256 begins with ${digits}; the user is not kept`;
}

function State({ purge: { state, ended_at: ended, failure } }: { readonly purge: Purge }) {
  if (state === "running") {
    return <span aria-live="polite">running…</span>;
  }
  return (
    <>
      {state}
      {ended === null || ended === undefined ? null : (
        <>
          {" "}
          <Moment at={ended} />
        </>
      )}
      {failure === null || failure === undefined ? null : `: ${failure}`}
    </>
  );
}
