// Setup › Parameters: what makes a session. The whole ordered list is edited and saved at once.

import { Button, Skeleton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { parameters, saveParameters, type TaggedParameters } from "../api/policy";
import { asProblem } from "../api/problem";
import { me } from "../api/queries";
import { Empty } from "../ui/Empty";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import { BuiltIn } from "./BuiltIn";
import { Conflict } from "./Conflict";
import { blank, type Draft, isChanged, move, replace, sortErrors, toDrafts, toInput } from "./draft";
import { Ladder } from "./Ladder";
import { Leaving } from "./Leaving";
import { SaveBar } from "./SaveBar";
import { Sentence } from "./Sentence";
import styles from "./Setup.module.css";
import { useShares } from "./useShares";

export function ParametersPage() {
  const { data, error, refetch } = useQuery({ ...parameters, refetchOnMount: "always" });
  if (data === undefined) {
    return error === null ? (
      <div className={styles.page} aria-busy="true" aria-label="Loading the parameters">
        <Skeleton height={28} width={240} />
        <Skeleton height={220} mt={20} />
      </div>
    ) : (
      <ProblemNote what="The parameters could not be loaded" error={error} onRetry={() => void refetch()} />
    );
  }
  return <Parameters loaded={data} />;
}

function Parameters({ loaded }: { readonly loaded: TaggedParameters }) {
  const queries = useQueryClient();
  const readOnly = useQuery(me).data?.role !== "admin";
  // What is edited stands on the version it was begun from, even when a newer one is loaded meanwhile.
  const [base, setBase] = useState(loaded);
  const saved = useMemo(() => toDrafts(base.policy.parameters), [base]);
  const [drafts, setDrafts] = useState(saved);
  const [editing, setEditing] = useState<number | undefined>();
  const [comment, setComment] = useState("");
  const changed = isChanged(drafts, saved);

  const startFrom = (from: TaggedParameters): void => {
    setBase(from);
    setDrafts(toDrafts(from.policy.parameters));
    setEditing(undefined);
    setComment("");
  };
  if (loaded.tag !== base.tag && !changed) {
    startFrom(loaded);
  }

  const save = useMutation({
    mutationFn: (tag: string) => saveParameters(toInput(drafts), comment, tag),
    onError: (error) => {
      // The first row at fault opens, where the complaint stands at its field.
      const [first] = sortErrors(asProblem(error).errors).rows.keys();
      setEditing((open) => (first === undefined ? open : (drafts[first]?.key ?? open)));
    },
    onSuccess: (now) => {
      queries.setQueryData(parameters.queryKey, now);
      startFrom(now);
      notifications.show({ message: `Version ${now.policy.version} holds from now on for new traffic.` });
    },
  });
  const problem = save.error === null ? undefined : asProblem(save.error);
  const conflict = problem?.status === 412;
  const errors = useMemo(() => sortErrors(problem?.errors ?? []), [problem]);
  const blocker = useBlocker({ shouldBlockFn: () => changed, enableBeforeUnload: () => changed, withResolver: true });
  const change = (next: readonly Draft[]): void => {
    save.reset();
    setDrafts(next);
  };
  const { shares, fallbacks, whole } = useShares();
  const { policy } = base;
  const full = drafts.length >= policy.maximum;
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1>Parameters</h1>
          <p className={styles.lead}>
            {policy.version === 0 || policy.saved_at === null || policy.saved_at === undefined ? (
              "Nothing was saved yet"
            ) : (
              <>
                Version {policy.version}, saved by <bdi>{policy.saved_by}</bdi> <Moment at={policy.saved_at} />
              </>
            )}
          </p>
        </div>
        <span className={styles.quota}>
          {drafts.length} of {policy.maximum}
        </span>
        {readOnly ? null : (
          <Button
            leftSection={<IconPlus size={15} />}
            disabled={full}
            title={full ? `There may be at most ${policy.maximum} parameters` : undefined}
            onClick={() => {
              const added = blank(drafts);
              change([...drafts, added]);
              setEditing(added.key);
            }}
          >
            Add a parameter
          </Button>
        )}
      </header>
      {readOnly ? <p className={styles.lead}>Only administrators change these: they decide which values leave a node.</p> : null}
      <Sentence drafts={drafts} />
      {conflict ? (
        <Conflict
          onTheirs={() => {
            save.reset();
            void queries.fetchQuery({ ...parameters, staleTime: 0 }).then(startFrom);
          }}
          onMine={() => {
            void queries.fetchQuery({ ...parameters, staleTime: 0 }).then((now) => {
              save.mutate(now.tag);
            });
          }}
        />
      ) : problem === undefined || errors.rows.size > 0 ? null : (
        <ProblemNote what="The list was not saved" error={problem} />
      )}
      {drafts.length === 0 ? (
        <Empty title="No parameters yet">
          <p>
            Sessions are grouped by the built-in set below. Add a parameter to group by a value of your own API, or to name
            the user and the role of a session.
          </p>
        </Empty>
      ) : (
        <Ladder
          drafts={drafts}
          errors={errors.rows}
          shares={shares}
          whole={whole}
          editing={editing}
          readOnly={readOnly}
          onEdit={setEditing}
          onChange={(key, part) => {
            change(replace(drafts, key, part));
          }}
          onMove={(position, by) => {
            change(move(drafts, position, by));
          }}
          onDelete={(key) => {
            change(drafts.filter((draft) => draft.key !== key));
          }}
        />
      )}
      <BuiltIn rules={policy.built_in} shares={shares ?? new Map()} fallbacks={fallbacks} whole={whole} />
      {changed && !conflict ? (
        <SaveBar
          version={policy.version + 1}
          comment={comment}
          onComment={setComment}
          saving={save.isPending}
          problems={errors.rows.size}
          onDiscard={() => {
            save.reset();
            startFrom(loaded);
          }}
          onSave={() => {
            save.mutate(base.tag);
          }}
        />
      ) : null}
      <Leaving open={blocker.status === "blocked"} onStay={() => blocker.reset?.()} onLeave={() => blocker.proceed?.()} />
    </div>
  );
}
