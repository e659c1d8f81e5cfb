// Asking for a purge. The value lives in the field alone: it is posted, and no address, storage or remembered question
// holds it.

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { asProblem } from "../api/problem";
import { beginPurge, previewPurge, purges } from "../api/purges";
import type { PurgeCounts, PurgeKind } from "../api/types";
import { AskOnce } from "../ui/AskOnce";
import { exactly } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { offeredPurge, offerPurge } from "./offeredPurge";
import styles from "./System.module.css";

interface Kind {
  readonly kind: PurgeKind;
  readonly label: string;
  readonly field: string;
  readonly hint: string;
}

const user: Kind = {
  kind: "user",
  label: "A user",
  field: "User",
  hint: "As it is stored; where users are exported hashed, the hash",
};
const session: Kind = { kind: "session", label: "A session", field: "Session ID", hint: "32 hexadecimal digits" };
const kinds: readonly Kind[] = [
  user,
  session,
  { kind: "parameter", label: "A parameter", field: "Parameter name", hint: "Also of a parameter that is no longer configured" },
];

export function PurgeForm() {
  const [offered] = useState(offeredPurge);
  const [kind, setKind] = useState<Kind>(offered.session === undefined ? user : session);
  const [value, setValue] = useState(() => offered[kind.kind] ?? "");
  const [reason, setReason] = useState("");
  const [asking, setAsking] = useState(false);
  // It was for this visit of the page.
  useEffect(() => {
    offerPurge({});
  }, []);
  const queries = useQueryClient();
  // Without variables: what is asked is read off the fields, so that nothing keeps it.
  const preview = useMutation({ mutationFn: () => previewPurge(kind.kind, value) });
  const begin = useMutation({
    mutationFn: () => beginPurge(kind.kind, value, reason),
    onSuccess: async () => {
      setValue("");
      setReason("");
      preview.reset();
      setAsking(false);
      // The record says how it goes on, and whatever was loaded may be gone.
      await queries.invalidateQueries({ queryKey: purges.queryKey });
      await queries.invalidateQueries();
    },
    onError: () => {
      setAsking(false);
    },
  });
  const change = (next: Kind, text: string): void => {
    setKind(next);
    setValue(text);
    preview.reset();
    begin.reset();
  };
  const problem = [preview.error, begin.error].find((error) => error !== null);
  const errors = problem === undefined ? [] : asProblem(problem).errors;
  const at = (field: string): string | undefined => errors.find((error) => error.field === field)?.reason;
  return (
    <>
      <form
        className={styles.form}
        autoComplete="off"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          begin.reset();
          preview.mutate();
        }}
      >
        <NativeSelect
          label="What"
          value={kind.kind}
          onChange={(event) => {
            const next = kinds.find((one) => one.kind === event.currentTarget.value) ?? user;
            change(next, offered[next.kind] ?? "");
          }}
        >
          {kinds.map((one) => (
            <option key={one.kind} value={one.kind}>
              {one.label}
            </option>
          ))}
        </NativeSelect>
        <TextInput
          className={styles.wide ?? ""}
          label={kind.field}
          description={kind.hint}
          required
          withAsterisk={false}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={8192}
          value={value}
          error={at("value")}
          onChange={(event) => {
            change(kind, event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default" loading={preview.isPending}>
          Look what it means
        </Button>
      </form>
      <div aria-live="polite">
        {preview.data === undefined ? null : (
          <p className={styles.consequence}>
            <Consequence kind={kind.kind} counts={preview.data} />
          </p>
        )}
      </div>
      {preview.data === undefined ? null : (
        <form
          className={styles.form}
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            setAsking(true);
          }}
        >
          <TextInput
            className={styles.wide ?? ""}
            label="Why"
            description="Stands in the record and in the audit log for good, so name nobody"
            required
            withAsterisk={false}
            maxLength={500}
            value={reason}
            error={at("reason")}
            onChange={(event) => {
              setReason(event.currentTarget.value);
            }}
          />
          <Button type="submit" color="red.9">
            Purge…
          </Button>
        </form>
      )}
      {problem === undefined || errors.length > 0 ? null : <ProblemNote what="Nothing was purged" error={problem} />}
      <AskOnce
        open={asking}
        title="Purge for good?"
        keep="Keep it"
        act="Purge"
        acting={begin.isPending}
        onKeep={() => {
          setAsking(false);
        }}
        onAct={() => {
          begin.mutate();
        }}
      >
        <p>
          {preview.data === undefined ? null : <Consequence kind={kind.kind} counts={preview.data} />} There is no way back.
        </p>
      </AskOnce>
    </>
  );
}

/** What a purge means, in numbers. */
function Consequence({ kind, counts }: { readonly kind: PurgeKind; readonly counts: PurgeCounts }) {
  const { sessions, shared_sessions: shared, deleted, changed, days } = counts;
  if (deleted === 0 && changed === 0) {
    return <>Nothing that is stored fits. Spaces and upper case count.</>;
  }
  const reach = `in ${many(sessions, "session")} on ${many(days, "day")}`;
  if (kind === "parameter") {
    return (
      <>
        <b>{many(changed, "exchange")}</b> {reach} {changed === 1 ? "loses" : "lose"} the values of this parameter. The exchanges
        stay.
      </>
    );
  }
  return (
    <>
      <b>{many(deleted, "exchange")}</b> {reach} {deleted === 1 ? "leaves" : "leave"}.
      {shared > 0 ? ` Other users were seen in ${many(shared, "of these sessions", "of these sessions")}; what they did there leaves too.` : ""}
      {changed > 0 ? ` ${many(changed, "exchange")} elsewhere ${changed === 1 ? "loses its link" : "lose their link"} to ${sessions === 1 ? "it" : "them"}.` : ""}
    </>
  );
}

/** Every digit: this is not the place for about. */
function many(count: number, one: string, more = `${one}s`): string {
  return `${exactly(count)} ${count === 1 ? one : more}`;
}
