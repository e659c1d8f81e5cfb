// What all Setup pages share: their tabs, the draft of the policy, and saving it.

import { Skeleton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useBlocker, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { checkPolicy, policy, savePolicy, type TaggedPolicy } from "../api/policy";
import { asProblem, type FieldProblem } from "../api/problem";
import { me } from "../api/queries";
import { emptySearch } from "../filters/search";
import { AskOnce } from "../ui/AskOnce";
import { plural } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { sectionOf } from "./complaints";
import { isChanged, type PolicyDraft, toDocument, toDraft } from "./draft";
import { ManagedNote } from "./ManagedNote";
import { merge } from "./merge";
import { MergedNote } from "./MergedNote";
import { SaveBar } from "./SaveBar";
import { SaveDialog } from "./SaveDialog";
import styles from "./Setup.module.css";
import { SetupTabs } from "./SetupTabs";
import { type Setup, SetupContext } from "./useSetup";

/** Where each section of a policy is edited. */
const pages = new Map<string, "/setup/parameters" | "/setup/masks" | "/setup/traffic">([
  ["parameters", "/setup/parameters"],
  ["masks", "/setup/masks"],
  ["applications", "/setup/traffic"],
  ["analysed", "/setup/traffic"],
  ["trusted_proxies", "/setup/traffic"],
]);

export function SetupFrame() {
  const { data, error, refetch } = useQuery({ ...policy, refetchOnMount: "always" });
  return (
    <div className={styles.page}>
      <SetupTabs />
      {data === undefined ? (
        error === null ? (
          <div aria-busy="true" aria-label="Loading the policy">
            <Skeleton height={28} width={240} />
            <Skeleton height={220} mt={20} />
          </div>
        ) : (
          <ProblemNote what="The policy could not be loaded" error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <Drafting loaded={data} />
      )}
    </div>
  );
}

const nothing: readonly FieldProblem[] = [];

function Drafting({ loaded }: { readonly loaded: TaggedPolicy }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const administrator = useQuery(me).data?.role === "admin";
  // What is edited stands on the version it was begun from, even when a newer one is loaded meanwhile.
  const [base, setBase] = useState(loaded);
  const saved = useMemo(() => toDraft(base.answer.policy), [base]);
  const [draft, setDraft] = useState(saved);
  const [open, setOpen] = useState<string | undefined>();
  const [judged, setJudged] = useState(false);
  const [reviewing, setReviewing] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const [comment, setComment] = useState("");
  const [merged, setMerged] = useState<{ readonly version: number; readonly both: readonly string[] } | undefined>();
  const changed = isChanged(draft, saved);
  const readOnly = !administrator || base.answer.managed_by !== null;

  const startFrom = (from: TaggedPolicy, on: PolicyDraft = toDraft(from.answer.policy)): void => {
    setBase(from);
    setDraft(on);
    setOpen(undefined);
    setJudged(false);
    setReviewing(false);
    setMerged(undefined);
  };
  if (loaded !== base && !changed) {
    startFrom(loaded);
  }

  const document = useMemo(() => toDocument(draft), [draft]);
  const [asked] = useDebouncedValue(document, 250);
  const answer = useQuery({ ...checkPolicy(asked, base.answer.version), enabled: changed, placeholderData: (previous) => previous });
  const current = asked === document && !answer.isPlaceholderData;
  const check = changed && current ? answer.data : undefined;
  const problems = changed && judged ? (answer.data?.errors ?? nothing) : nothing;

  const save = useMutation({
    mutationFn: () => savePolicy(document, comment, base.tag),
    onSuccess: (now) => {
      queries.setQueryData(policy.queryKey, now);
      void queries.invalidateQueries({ queryKey: ["policy", "versions"] });
      startFrom(now);
      setComment("");
      notifications.show({ message: `Version ${now.answer.version} holds from now on for new traffic.` });
    },
  });
  const review = async (): Promise<void> => {
    save.reset();
    setJudged(true);
    const verdict = await queries.fetchQuery(checkPolicy(document, base.answer.version)).catch(() => undefined);
    const [first] = verdict?.errors ?? [];
    if (first === undefined) {
      setReviewing(true);
      return;
    }
    // The first row at fault opens, where the complaint stands at its field.
    const section = sectionOf(first);
    const row = rowOf(draft, section, first);
    setOpen((held) => row ?? held);
    const page = pages.get(section);
    if (page !== undefined) {
      void navigate({ to: page, search: emptySearch });
    }
  };
  const blocker = useBlocker({
    shouldBlockFn: ({ next }) => changed && !next.pathname.startsWith("/setup/"),
    enableBeforeUnload: () => changed,
    withResolver: true,
  });
  const setup: Setup = {
    base: base.answer,
    draft,
    changed,
    readOnly,
    change: (part) => {
      setDraft((held) => ({ ...held, ...part }));
    },
    take: (taken, about) => {
      setDraft(toDraft(taken));
      setOpen(undefined);
      setJudged(false);
      setComment(about);
    },
    check,
    problems,
    warnings: (changed ? answer.data : base.answer)?.warnings ?? [],
    open,
    setOpen,
  };
  const count = check?.changes.length;
  return (
    <SetupContext value={setup}>
      <ManagedNote />
      {merged === undefined ? null : <MergedNote version={merged.version} both={merged.both} />}
      <Outlet />
      {changed && !readOnly ? (
        <SaveBar
          changes={count}
          problems={problems.length}
          failed={answer.error === null ? undefined : asProblem(answer.error).message}
          onDiscard={() => {
            setDiscarding(true);
          }}
          onTry={() => void navigate({ to: "/setup/try-out", search: emptySearch })}
          onReview={() => void review()}
        />
      ) : null}
      <SaveDialog
        open={reviewing}
        base={base.answer}
        check={check}
        comment={comment}
        onComment={setComment}
        saving={save.isPending}
        error={save.error}
        onSave={() => {
          save.mutate();
        }}
        onClose={() => {
          setReviewing(false);
        }}
        onTheirs={(now) => {
          queries.setQueryData(policy.queryKey, now);
          startFrom(now);
        }}
        onMerge={(now) => {
          const result = merge(base.answer.policy, document, now.answer.policy);
          queries.setQueryData(policy.queryKey, now);
          startFrom(now, toDraft(result.document));
          setMerged({ version: now.answer.version, both: result.both });
        }}
      />
      <AskOnce
        open={discarding}
        title="Discard the draft?"
        keep="Keep editing"
        act="Discard"
        acting={false}
        onKeep={() => {
          setDiscarding(false);
        }}
        onAct={() => {
          setDiscarding(false);
          setComment("");
          startFrom(loaded);
        }}
      >
        <p>{count === undefined || count === 0 ? "What was changed" : plural(count, "change")} on the Setup pages would be lost. Nothing of it holds yet.</p>
      </AskOnce>
      <AskOnce
        open={blocker.status === "blocked"}
        title="Leave without saving?"
        keep="Stay"
        act="Leave, lose them"
        acting={false}
        onKeep={() => blocker.reset?.()}
        onAct={() => blocker.proceed?.()}
      >
        <p>The changes to the policy were not saved and would be lost.</p>
      </AskOnce>
    </SetupContext>
  );
}

/** The row that a complaint is about, as `parameters 3` names it by its key. */
function rowOf(draft: PolicyDraft, section: string, { field }: FieldProblem): string | undefined {
  const position = Number(/^\w+\[(\d+)\]/u.exec(field)?.[1] ?? Number.NaN);
  if (section !== "parameters" && section !== "masks" && section !== "applications") {
    return undefined;
  }
  const row = draft[section][position];
  return row === undefined ? undefined : `${section} ${row.key}`;
}
