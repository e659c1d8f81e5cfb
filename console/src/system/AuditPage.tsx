// Who did what to the hub itself.

import { Button, Table } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { audit } from "../api/queries";
import { Captured } from "../ui/Captured";
import { exactly, plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

export function AuditPage() {
  const list = useInfiniteQuery(audit);
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  return (
    <SystemFrame title="Audit log">
      {list.error === null ? null : (
        <ProblemNote what="The audit log could not be loaded" error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.data === undefined ? null : (
        <>
          <p className={styles.aside}>{plural(total, "entry", "entries")}, newest first.</p>
          <div className={styles.scroll}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>When</Table.Th>
                  <Table.Th>Who</Table.Th>
                  <Table.Th>What</Table.Th>
                  <Table.Th>To what</Table.Th>
                  <Table.Th>From</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((entry) => (
                  <Table.Tr key={entry.id}>
                    <Table.Td>
                      <Moment at={entry.at} />
                    </Table.Td>
                    <Table.Td>{entry.actor === null || entry.actor === undefined ? "nobody signed in" : <Captured text={entry.actor} />}</Table.Td>
                    <Table.Td>
                      <code>{entry.action}</code>
                    </Table.Td>
                    <Table.Td>
                      {[entry.subject, entry.detail].map((text, position) =>
                        text === null || text === undefined ? null : (
                          <span key={position === 0 ? "subject" : "detail"}>
                            {position === 1 && entry.subject !== null && entry.subject !== undefined ? " · " : ""}
                            <Captured text={text} wrap />
                          </span>
                        ),
                      )}
                    </Table.Td>
                    <Table.Td>{entry.address === null || entry.address === undefined ? "" : <Captured text={entry.address} mono />}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
          {list.hasNextPage ? (
            <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {exactly(entries.length)} of {exactly(total)} shown · show more
            </Button>
          ) : null}
        </>
      )}
    </SystemFrame>
  );
}
