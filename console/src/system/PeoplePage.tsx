// Who may sign in, and with which role.

import { ActionIcon, Button, PasswordInput, Select, Table, TextInput, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, body } from "../api/client";
import { asProblem } from "../api/problem";
import { people } from "../api/queries";
import type { Person, PersonRole } from "../api/types";
import { AskOnce } from "../ui/AskOnce";
import { plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./System.module.css";
import { SystemFrame } from "./SystemFrame";

const roles: readonly { readonly value: PersonRole; readonly label: string }[] = [
  { value: "viewer", label: "viewer: looks at sessions" },
  { value: "analyst", label: "analyst: looks and judges" },
  { value: "admin", label: "admin: changes everything" },
];

export function PeoplePage() {
  const { data, error, refetch } = useQuery(people);
  const [removing, setRemoving] = useState<Person | undefined>();
  return (
    <SystemFrame title="People">
      <NewPerson />
      {error === null ? null : <ProblemNote what="The people could not be loaded" error={error} onRetry={() => void refetch()} />}
      {data === undefined ? null : (
        <>
          <p className={styles.aside}>{plural(data.people.length, "person", "people")} may sign in.</p>
          <div className={styles.scroll}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Added</Table.Th>
                  <Table.Th>Last sign-in</Table.Th>
                  <Table.Th aria-label="Actions" />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.people.map((person) => (
                  <Table.Tr key={person.id}>
                    <Table.Td fw={600}>
                      <bdi>{person.name}</bdi>
                    </Table.Td>
                    <Table.Td>{person.role}</Table.Td>
                    <Table.Td>
                      <Moment at={person.created_at} /> by <bdi>{person.created_by}</bdi>
                    </Table.Td>
                    <Table.Td>
                      {person.last_sign_in_at === null || person.last_sign_in_at === undefined ? "never" : <Moment at={person.last_sign_in_at} />}
                    </Table.Td>
                    <Table.Td ta="right">
                      <Tooltip label="Remove">
                        <ActionIcon
                          aria-label={`Remove ${person.name}`}
                          onClick={() => {
                            setRemoving(person);
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
        </>
      )}
      <Remove person={removing} onClose={() => { setRemoving(undefined); }} />
    </SystemFrame>
  );
}

function NewPerson() {
  const [name, setName] = useState("");
  const [role, setRole] = useState<PersonRole>("analyst");
  const [password, setPassword] = useState("");
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () => body(api.POST("/api/v1/people", { body: { name, role, password } })),
    onSuccess: () => {
      setName("");
      setPassword("");
      void queries.invalidateQueries({ queryKey: people.queryKey });
    },
  });
  const problem = add.error === null ? undefined : asProblem(add.error);
  const reason = (field: string): string | undefined => problem?.errors.find((error) => error.field === field)?.reason;
  return (
    <form
      className={styles.form}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <TextInput
        label="Name"
        required
        withAsterisk={false}
        maxLength={64}
        autoComplete="off"
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
      <PasswordInput
        label="First password"
        w={220}
        required
        withAsterisk={false}
        autoComplete="new-password"
        value={password}
        error={reason("password")}
        aria-invalid={reason("password") !== undefined}
        onChange={(event) => {
          setPassword(event.currentTarget.value);
        }}
      />
      <Button type="submit" size="sm" loading={add.isPending}>
        Add a person
      </Button>
      {problem === undefined || problem.errors.length > 0 ? null : <ProblemNote what="Nobody was added" error={problem} />}
    </form>
  );
}

function Remove({ person, onClose }: { readonly person: Person | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: number) => api.DELETE("/api/v1/people/{person_id}", { params: { path: { person_id: id } } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: people.queryKey });
      onClose();
    },
  });
  return (
    <AskOnce
      open={person !== undefined}
      title="Remove this person?"
      keep="Keep them"
      act="Remove"
      acting={remove.isPending}
      onKeep={() => {
        remove.reset();
        onClose();
      }}
      onAct={() => {
        if (person !== undefined) {
          remove.mutate(person.id);
        }
      }}
    >
      <p>
        <b>{person?.name}</b> is signed out everywhere and cannot sign in again. API tokens that they made keep working.
      </p>
      {remove.error === null ? null : <ProblemNote what="They were not removed" error={remove.error} />}
    </AskOnce>
  );
}
