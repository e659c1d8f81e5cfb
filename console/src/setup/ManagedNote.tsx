import { Captured } from "../ui/Captured";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

/** Why nothing can be changed here: a file alone changes the policy. */
export function ManagedNote() {
  const { managed_by: file, file_problem: problem, version } = useSetup().base;
  if (file === null || file === undefined) {
    return null;
  }
  const broken = problem !== null && problem !== undefined;
  return (
    <div className={broken ? styles.warning : styles.managed} role={broken ? "alert" : "note"}>
      <p>
        This policy is managed by <Captured text={file} mono wrap />: change it there, and it holds within two seconds.
      </p>
      {broken ? (
        <p>
          <b>What stands in the file now does not hold; version {version} does.</b>{" "}
          <span className={styles.asWritten}>
            <Captured text={problem} wrap />
          </span>
        </p>
      ) : null}
    </div>
  );
}
