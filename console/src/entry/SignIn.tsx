import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, body } from "../api/client";
import { asProblem } from "../api/problem";
import { firstRun, me } from "../api/queries";
import { emptySearch } from "../filters/search";
import { useAddress } from "../shell/address";
import { ProblemNote } from "../ui/ProblemNote";
import { Door } from "./Door";
import styles from "./entry.module.css";

export function SignIn() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { next } = useAddress();
  const router = useRouter();
  const queries = useQueryClient();
  const open = useQuery(firstRun).data?.open ?? false;
  const enter = useMutation({
    mutationFn: () => body(api.POST("/api/v1/sign-in", { body: { name, password } })),
    onSuccess: async () => {
      queries.clear();
      await queries.fetchQuery(me);
      router.history.push(next ?? "/sessions");
    },
  });
  const wrong = enter.error !== null && asProblem(enter.error).status === 401;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter.mutate();
  };
  return (
    <Door title="Sign in" lead="Sessions hold what people did. Everybody who looks at them signs in.">
      <form className={styles.form} onSubmit={submit}>
        <TextInput
          label="Name"
          name="username"
          autoComplete="username"
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          aria-invalid={wrong}
          error={wrong ? "Name or password is wrong" : undefined}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="sm" loading={enter.isPending}>
          Sign in
        </Button>
      </form>
      {enter.error !== null && !wrong ? <ProblemNote what="Signing in failed" error={enter.error} /> : null}
      {open ? (
        <p className={styles.lead} style={{ marginTop: 16, marginBottom: 0 }}>
          Nobody has an account yet.{" "}
          <Link className={styles.link} to="/first-run" search={emptySearch}>
            Create the administrator
          </Link>
        </p>
      ) : null}
    </Door>
  );
}
