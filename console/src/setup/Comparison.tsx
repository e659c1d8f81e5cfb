import { useQuery } from "@tanstack/react-query";
import { policyChanges } from "../api/policy";
import { plural } from "../ui/format";
import { ProblemNote } from "../ui/ProblemNote";
import { Sentences } from "./Sentences";
import styles from "./Setup.module.css";

/** What going back to a version would change in the one that holds. */
export function Comparison({ version, against }: { readonly version: number; readonly against: number }) {
  const { data, error, refetch } = useQuery(policyChanges(version, against));
  if (data === undefined) {
    return error === null ? (
      <p className={styles.aside}>Comparing …</p>
    ) : (
      <ProblemNote what="The versions could not be compared" error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <div className={styles.comparison}>
      <p className={styles.aside}>
        {data.changes.length === 0
          ? `Says the same as version ${against}, which holds.`
          : `Restoring it makes ${plural(data.changes.length, "change")} to version ${against}, which holds:`}
      </p>
      <Sentences label={`From version ${against} to ${version}`} sentences={data.changes} />
    </div>
  );
}
