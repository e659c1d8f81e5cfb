// Finding what is exported hashed by its value in clear. The value lives in the field alone: it is posted, and neither the
// address, nor storage, nor a remembered question ever holds it.

import { Button, Group, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useRef, useState } from "react";
import { everything, hashesOf, keptSessions } from "../api/hashes";
import { policy } from "../api/policy";
import { type Sought, withHashes } from "../filters/hashed";
import { type ConsoleSearch, emptySearch } from "../filters/search";
import type { Token } from "../filters/token";
import { useAddress } from "../shell/address";
import { ProblemNote } from "../ui/ProblemNote";
import { visible } from "../ui/visible";

export function FindValue({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Find a hashed value" closeButtonProps={{ "aria-label": "Close" }}>
      <Search onClose={onClose} />
    </Modal>
  );
}

function Search({ onClose }: { readonly onClose: () => void }) {
  const { scope } = useAddress();
  const navigate = useNavigate();
  const value = useRef<HTMLInputElement>(null);
  const [kind, setKind] = useState("user");
  const [missing, setMissing] = useState(false);
  const hashed = (useQuery(policy).data?.answer.policy.parameters ?? []).filter((parameter) => parameter.hashed === true);

  const show = (tokens: readonly Token[], range: ConsoleSearch["scope"]["range"]): void => {
    void navigate({ to: "/sessions", search: { ...emptySearch, scope: { ...scope, tokens, range } } });
    onClose();
  };
  const find = useMutation({
    // Without variables: what is asked is read off the field, so that nothing keeps it.
    mutationFn: async (): Promise<"shown" | "no session"> => {
      const found = await hashesOf(value.current?.value ?? "");
      const sought = soughtBy(kind, hashed);
      if (sought !== undefined) {
        show(withHashes(scope.tokens, sought, found.parameter_hashes), scope.range);
        return "shown";
      }
      const [only, ...others] = await keptSessions(found.session_ids);
      if (only === undefined) {
        return "no session";
      }
      if (others.length > 0) {
        const tokens = [only, ...others].map((id): Token => ({ field: "session", value: id, negated: false }));
        show(tokens, everything);
      } else {
        const search = { ...emptySearch, scope: { ...scope, tokens: [], text: "", range: everything } };
        void navigate({ to: "/sessions/$sessionId", params: { sessionId: only }, search });
        onClose();
      }
      return "shown";
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const empty = (value.current?.value ?? "") === "";
    setMissing(empty);
    if (empty) {
      value.current?.focus();
    } else {
      find.mutate();
    }
  };

  return (
    <form onSubmit={submit} autoComplete="off">
      <TextInput
        ref={value}
        data-autofocus
        label="Value in clear"
        description="Exactly as it stands in traffic: spaces and upper case count. It is hashed by the hub and kept nowhere; the audit log says that you searched."
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        maxLength={8192}
        error={missing ? "a value is needed" : undefined}
        onChange={() => {
          setMissing(false);
        }}
      />
      <NativeSelect
        mt="sm"
        label="What it is"
        value={kind}
        onChange={(event) => {
          setKind(event.currentTarget.value);
        }}
      >
        <option value="user">User</option>
        <option value="role">Role</option>
        {hashed.map((parameter, position) => (
          <option key={parameter.name} value={`parameter ${position}`}>
            {`Parameter ${visible(parameter.name)}`}
          </option>
        ))}
        <option value="session">The key of a session</option>
      </NativeSelect>
      <div aria-live="polite">
        {find.data === "no session" ? <p>No session that is kept has this key.</p> : null}
      </div>
      {find.isError ? <ProblemNote what="The value could not be looked for" error={find.error} /> : null}
      <Group justify="flex-end" gap="xs" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={find.isPending}>
          Find
        </Button>
      </Group>
    </form>
  );
}

/** The filter of a choice; undefined for the key of a session, which is found by the session. */
function soughtBy(kind: string, hashed: readonly { readonly name: string }[]): Sought | undefined {
  if (kind === "user" || kind === "role") {
    return { kind };
  }
  const chosen = hashed[Number(/^parameter (\d+)$/u.exec(kind)?.[1])];
  return chosen === undefined ? undefined : { kind: "parameter", name: chosen.name };
}
