import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, body } from "../api/client";
import { asProblem } from "../api/problem";
import { firstRun, me } from "../api/queries";
import { type ConsoleSearch, emptyScope, emptySearch } from "../filters/search";
import { ProblemNote } from "../ui/ProblemNote";
import { Door } from "./Door";
import styles from "./entry.module.css";
import { strength } from "./strength";

/** Live traffic is minutes old at most: over a day it would be a sliver at the edge. */
const firstLook: ConsoleSearch = { ...emptySearch, scope: { ...emptyScope, range: { kind: "last", last: "15m" } } };

/** The token stands behind the `#`, which browsers do not send: it reaches no log. */
function tokenOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/u, "")).get("token") ?? "";
}

export function FirstRun() {
  const [token, setToken] = useState(() => tokenOf(window.location.hash));
  const [given] = useState(token !== "");
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const navigate = useNavigate();
  const queries = useQueryClient();
  const state = useQuery(firstRun);
  const create = useMutation({
    mutationFn: () => body(api.POST("/api/v1/first-run", { body: { token, name, password } })),
    onSuccess: async () => {
      queries.clear();
      await queries.fetchQuery(me);
      await navigate({ to: "/sessions", search: firstLook, replace: true });
    },
  });
  if (state.data !== undefined && !state.data.open) {
    return (
      <Door title="Already set up" lead="The administrator exists; this link has done its work.">
        <Link to="/sign-in" search={emptySearch}>
          Sign in
        </Link>
      </Door>
    );
  }
  const problem = create.error === null ? undefined : asProblem(create.error);
  const reason = (field: string): string | undefined => problem?.errors.find((error) => error.field === field)?.reason;
  const atField = ["token", "name", "password"].some((field) => reason(field) !== undefined);
  const hint = strength(password);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Door title="Create the administrator" lead="The first person here. Others are added later; this link works once.">
      <form className={styles.form} onSubmit={submit}>
        {given && reason("token") === undefined ? null : (
          <TextInput
            label="One-time token"
            description="Printed in the terminal at the first start, and kept in the data folder until it is used."
            required
            withAsterisk={false}
            autoComplete="off"
            value={token}
            error={reason("token")}
            onChange={(event) => {
              setToken(event.currentTarget.value.trim());
            }}
          />
        )}
        <TextInput
          label="Name"
          name="username"
          autoComplete="username"
          required
          withAsterisk={false}
          value={name}
          error={reason("name")}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <PasswordInput
          label="Password"
          name="new-password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={password}
          error={reason("password")}
          aria-invalid={reason("password") !== undefined}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
          }}
        />
        <div className={styles.hint} aria-live="polite">
          {[1, 2, 3, 4].map((level) => (
            <i key={level} data-on={hint.level >= level || undefined} />
          ))}
          <p>{hint.words}</p>
        </div>
        <Button type="submit" size="sm" loading={create.isPending}>
          Create and sign in
        </Button>
      </form>
      {problem !== undefined && !atField ? <ProblemNote what="The administrator was not created" error={problem} /> : null}
    </Door>
  );
}
