import { Captured } from "../../ui/Captured";
import styles from "./Privacy.module.css";
import { nameOf } from "./words";

/** A field as the ledger names it; a parameter by its own name. */
export function FieldName({ field }: { readonly field: string }) {
  const { kind, name } = nameOf(field);
  return (
    <>
      {kind === undefined ? null : <span className={styles.quiet}>{kind} </span>}
      <Captured text={name} mono={kind === undefined} wrap />
    </>
  );
}
