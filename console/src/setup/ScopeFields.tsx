// Where something applies: within a list one entry must match, and all lists must that hold any.

import { TagsInput } from "@mantine/core";
import { about, type RowComplaints } from "./complaints";
import type { ScopeDraft } from "./draft";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export interface ScopeFieldsProps {
  readonly scope: ScopeDraft;
  readonly complaints: RowComplaints | undefined;
  /** What stands before the lists' names in complaints: `scope.`. */
  readonly prefix: string;
  readonly onChange: (scope: ScopeDraft) => void;
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const split = [",", ";", " "];

export function ScopeFields({ scope, complaints, prefix, onChange }: ScopeFieldsProps) {
  const { applications } = useSetup().draft;
  const ids = [...applications.map(({ id }) => id).filter((id) => id !== ""), "default"];
  const list = (name: keyof ScopeDraft) => ({
    value: [...scope[name]],
    error: about(complaints, `${prefix}${name}`),
    splitChars: split,
    clearable: false,
    onChange: (value: string[]) => {
      onChange({ ...scope, [name]: value });
    },
  });
  return (
    <div className={styles.scope}>
      <TagsInput label="Applications" placeholder={scope.applications.length === 0 ? "any" : ""} data={ids} {...list("applications")} />
      <TagsInput label="Hosts" placeholder={scope.hosts.length === 0 ? "any, or api.shop.example, *.shop.example" : ""} {...list("hosts")} />
      <TagsInput label="Paths" placeholder={scope.paths.length === 0 ? "any, or /api, /users/*/orders" : ""} {...list("paths")} />
      <TagsInput label="Methods" placeholder={scope.methods.length === 0 ? "any" : ""} data={methods} {...list("methods")} />
    </div>
  );
}
