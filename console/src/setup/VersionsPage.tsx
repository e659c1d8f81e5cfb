// Setup › Versions: who changed what and why, and the way back.

import { Badge, Button, Skeleton } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { policyHistory, policyVersion } from "../api/policy";
import type { PolicyVersion } from "../api/types";
import { emptySearch } from "../filters/search";
import { AskOnce } from "../ui/AskOnce";
import { Captured } from "../ui/Captured";
import { Empty } from "../ui/Empty";
import { exactly } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import { Comparison } from "./Comparison";
import { Sentences } from "./Sentences";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export function VersionsPage() {
  const { base } = useSetup();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(policyHistory);
  const versions = data?.pages.flatMap((page) => page.versions) ?? [];
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>Versions</h1>
          <p className={styles.lead}>
            {data === undefined ? "Every save of the policy" : `${exactly(data.pages[0]?.total ?? 0)} saved; each exchange says which one grouped it`}
          </p>
        </div>
      </header>
      {error === null ? null : (
        <ProblemNote
          what="The versions could not be loaded"
          error={error}
          kept={data === undefined ? undefined : "What is below was true before."}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined ? (
        error === null ? <Skeleton height={180} aria-label="Loading the versions" /> : null
      ) : versions.length === 0 ? (
        <Empty title="Nothing was saved yet">
          <p>The policy is empty: the built-in set groups all sessions. The first save makes version 1.</p>
        </Empty>
      ) : (
        <ol className={`${styles.ladder} ${styles.history}`} aria-label="Versions, newest first">
          {versions.map((version) => (
            <VersionRow key={version.version} version={version} holds={version.version === base.version} />
          ))}
        </ol>
      )}
      {hasNextPage ? (
        <div className={styles.more}>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older ones
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** Beyond this many changes a row shows the first, and the rest when asked. */
const shown = 4;

function VersionRow({ version, holds }: { readonly version: PolicyVersion; readonly holds: boolean }) {
  const { base, changed, readOnly, take } = useSetup();
  const navigate = useNavigate();
  const [all, setAll] = useState(false);
  const [comparing, setComparing] = useState(false);
  const [asking, setAsking] = useState(false);
  const restore = useMutation({
    mutationFn: () => policyVersion(version.version),
    onSuccess: ({ policy }) => {
      setAsking(false);
      take(policy, `Restores version ${version.version}`);
      void navigate({ to: "/setup/parameters", search: emptySearch });
    },
  });
  const { changes } = version;
  return (
    <li className={styles.rung} aria-label={`Version ${version.version}`}>
      <div className={styles.version}>
        <span className={styles.versionNumber}>{version.version}</span>
        <div className={styles.what}>
          <span className={styles.name}>
            <bdi>{version.saved_by}</bdi>
            <span className={styles.when}>
              <Moment at={version.saved_at} />
            </span>
            {holds ? <Badge size="sm">holds</Badge> : null}
          </span>
          {version.comment === null || version.comment === undefined ? null : (
            <p className={styles.comment}>
              <Captured text={version.comment} wrap />
            </p>
          )}
          <Sentences label={`Changes of version ${version.version}`} sentences={all ? changes : changes.slice(0, shown)} />
          {changes.length > shown && !all ? (
            <button
              type="button"
              className={styles.link}
              onClick={() => {
                setAll(true);
              }}
            >
              and {changes.length - shown} more
            </button>
          ) : null}
          {comparing ? <Comparison version={version.version} against={base.version} /> : null}
          {restore.error === null ? null : <ProblemNote what="The version could not be read" error={restore.error} />}
        </div>
        {holds ? null : (
          <div className={styles.versionTools}>
            <Button
              variant="subtle"
              aria-expanded={comparing}
              onClick={() => {
                setComparing(!comparing);
              }}
            >
              {comparing ? "Hide comparison" : `Compare with ${base.version}`}
            </Button>
            {readOnly ? null : (
              <Button
                variant="default"
                loading={restore.isPending}
                onClick={() => {
                  if (changed) {
                    setAsking(true);
                  } else {
                    restore.mutate();
                  }
                }}
              >
                Restore…
              </Button>
            )}
          </div>
        )}
      </div>
      <AskOnce
        open={asking}
        title={`Take version ${version.version} into the draft?`}
        keep="Keep my draft"
        act="Take it"
        acting={restore.isPending}
        onKeep={() => {
          setAsking(false);
        }}
        onAct={() => {
          restore.mutate();
        }}
      >
        <p>Your unsaved changes would be replaced.</p>
      </AskOnce>
    </li>
  );
}
