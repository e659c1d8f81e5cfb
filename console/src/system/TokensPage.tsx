// Tokens for programs. A secret is shown once, when it is made.

import { ActionIcon, Button, NumberInput, Select, Table, TextInput, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, body } from "../api/client";
import { asProblem } from "../api/problem";
import { tokens } from "../api/queries";
import type { ApiToken, Role } from "../api/types";
import { AskOnce } from "../ui/AskOnce";
import { Command } from "../ui/Command";
import { Empty } from "../ui/Empty";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

const roles: readonly { readonly value: Role; readonly label: string }[] = [
  { value: "viewer", label: "viewer: looks at sessions" },
  { value: "analyst", label: "analyst: looks and judges" },
  { value: "admin", label: "admin: changes everything" },
  { value: "node", label: "node: delivers exchanges" },
];

export function TokensPage() {
  const { data, error, refetch } = useQuery(tokens);
  const [revoking, setRevoking] = useState<ApiToken | undefined>();
  return (
    <SystemFrame title="API tokens">
      <NewToken />
      {error === null ? null : <ProblemNote what="The tokens could not be loaded" error={error} onRetry={() => void refetch()} />}
      {data === undefined ? null : data.tokens.length === 0 ? (
        <Empty title="No tokens yet">
          <p>
            Programs send one as <code>Authorization: Bearer tl_…</code>. Nodes that run apart need one with the role
            <i> node</i>.
          </p>
        </Empty>
      ) : (
        <div className={styles.scroll}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What for</Table.Th>
                <Table.Th>Role</Table.Th>
                <Table.Th>Made</Table.Th>
                <Table.Th>Last used</Table.Th>
                <Table.Th>Ends</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.tokens.map((token) => (
                <Table.Tr key={token.id}>
                  <Table.Td fw={600}>
                    <bdi>{token.name}</bdi>
                  </Table.Td>
                  <Table.Td>{token.role}</Table.Td>
                  <Table.Td>
                    <Moment at={token.created_at} /> by <bdi>{token.created_by}</bdi>
                  </Table.Td>
                  <Table.Td>{isMoment(token.last_used_at) ? <Moment at={token.last_used_at} /> : "never"}</Table.Td>
                  <Table.Td>{isMoment(token.expires_at) ? <Moment at={token.expires_at} /> : "never"}</Table.Td>
                  <Table.Td ta="right">
                    <Tooltip label="Revoke">
                      <ActionIcon
                        aria-label={`Revoke ${token.name}`}
                        onClick={() => {
                          setRevoking(token);
                        }}
                      >
                        <IconTrash size={16} />
                      </ActionIcon>
                    </Tooltip>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Revoke token={revoking} onClose={() => { setRevoking(undefined); }} />
    </SystemFrame>
  );
}

function isMoment(text: string | null | undefined): text is string {
  return text !== null && text !== undefined;
}

function NewToken() {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState<number | "">(90);
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () => body(api.POST("/api/v1/tokens", { body: { name, role, expires_in_days: days === "" ? null : days } })),
    onSuccess: () => {
      setName("");
      void queries.invalidateQueries({ queryKey: tokens.queryKey });
    },
  });
  const problem = create.error === null ? undefined : asProblem(create.error);
  const reason = (field: string): string | undefined => problem?.errors.find((error) => error.field === field)?.reason;
  return (
    <form
      className={styles.form}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <TextInput
        label="What for"
        placeholder="nightly export"
        required
        withAsterisk={false}
        maxLength={64}
        value={name}
        error={reason("name")}
        onChange={(event) => {
          setName(event.currentTarget.value);
        }}
      />
      <Select
        label="Role"
        w={220}
        data={roles.map(({ value, label }) => ({ value, label }))}
        value={role}
        error={reason("role")}
        onChange={(value) => {
          setRole(roles.find((one) => one.value === value)?.value ?? "viewer");
        }}
      />
      <NumberInput
        label="Ends after days"
        description="Empty: never"
        inputWrapperOrder={["label", "input", "error"]}
        w={130}
        min={1}
        max={3660}
        placeholder="never"
        allowDecimal={false}
        value={days}
        error={reason("expires_in_days")}
        onChange={(value) => {
          setDays(typeof value === "number" ? value : "");
        }}
      />
      <Button type="submit" size="sm" loading={create.isPending}>
        Make a token
      </Button>
      {problem === undefined || problem.errors.length > 0 ? null : <ProblemNote what="No token was made" error={problem} />}
      {create.data === undefined ? null : (
        <div className={styles.secret} role="status">
          <p>
            <b>Copy it now.</b> Only a hash is kept; it is not shown again.
          </p>
          <Command>{create.data.secret}</Command>
        </div>
      )}
    </form>
  );
}

function Revoke({ token, onClose }: { readonly token: ApiToken | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: number) => api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: tokens.queryKey });
      onClose();
    },
  });
  return (
    <AskOnce
      open={token !== undefined}
      title="Revoke this token?"
      keep="Keep it"
      act="Revoke"
      acting={revoke.isPending}
      onKeep={onClose}
      onAct={() => {
        if (token !== undefined) {
          revoke.mutate(token.id);
        }
      }}
    >
      <p>
        Whatever still uses <b>{token?.name}</b> is refused from now on.{" "}
        {isMoment(token?.last_used_at) ? (
          <>
            It was last used <Moment at={token.last_used_at} />.
          </>
        ) : (
          "It was never used."
        )}
      </p>
      {revoke.error === null ? null : <ProblemNote what="It was not revoked" error={revoke.error} />}
    </AskOnce>
  );
}
