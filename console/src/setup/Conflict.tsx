// Two people edited the same version: who saved what meanwhile, and the ways on.

import { Button, Group, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { policySince, policyVersions, type TaggedPolicy } from "../api/policy";
import { Captured } from "../ui/Captured";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import { Sentences } from "./Sentences";
import styles from "./Setup.module.css";

export interface ConflictProps {
  /** The version that the draft was begun from. */
  readonly base: number;
  readonly onTheirs: (now: TaggedPolicy) => void;
  readonly onMerge: (now: TaggedPolicy) => void;
}

export function Conflict({ base, onTheirs, onMerge }: ConflictProps) {
  // Their policy under a key of its own: the draft must not move before somebody chose.
  const now = useQuery(policySince(base));
  const versions = useQuery({ ...policyVersions(20), staleTime: 0 });
  const error = now.error ?? versions.error;
  const theirs = versions.data?.versions.filter(({ version }) => version > base);
  return (
    <div className={styles.dialog} role="alert">
      <p className={styles.lead}>Your draft stands on version {base}. Nothing was overwritten, and your changes are still here.</p>
      {error === null ? null : <ProblemNote what="What they changed could not be loaded" error={error} onRetry={() => void Promise.all([now.refetch(), versions.refetch()])} />}
      {theirs === undefined ? (
        error === null ? <Skeleton height={60} /> : null
      ) : (
        theirs.map((one) => (
          <section key={one.version} aria-label={`Version ${one.version}`}>
            <p className={styles.who}>
              <b>Version {one.version}</b> by <bdi>{one.saved_by}</bdi> <Moment at={one.saved_at} />
              {one.comment === null || one.comment === undefined ? null : (
                <>
                  : <Captured text={one.comment} />
                </>
              )}
            </p>
            <Sentences label={`Changes of version ${one.version}`} sentences={one.changes} />
          </section>
        ))
      )}
      <Group justify="flex-end" gap="xs">
        <Button
          variant="default"
          size="sm"
          disabled={now.data === undefined}
          onClick={() => {
            if (now.data !== undefined) {
              onTheirs(now.data);
            }
          }}
        >
          Drop mine, take theirs
        </Button>
        <Button
          size="sm"
          data-autofocus
          disabled={now.data === undefined}
          onClick={() => {
            if (now.data !== undefined) {
              onMerge(now.data);
            }
          }}
        >
          Bring theirs into mine
        </Button>
      </Group>
      <p className={styles.aside}>Bringing theirs in saves nothing yet: you look at the result and save it.</p>
    </div>
  );
}
