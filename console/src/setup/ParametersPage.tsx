// Setup › Parameters: what makes a session, and who it is.

import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Empty } from "../ui/Empty";
import { BuiltIn } from "./BuiltIn";
import { bySection } from "./complaints";
import { newParameter } from "./draft";
import { Held } from "./Held";
import { Ladder } from "./Ladder";
import { Sentence } from "./Sentence";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";
import { useShares } from "./useShares";

export function ParametersPage() {
  const { base, draft, readOnly, problems, change, setOpen } = useSetup();
  const { parameters } = draft;
  const { shares, fallbacks, whole } = useShares();
  const full = parameters.length >= base.limits.parameters;
  const wrong = bySection(problems, "parameters").get("");
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>Parameters</h1>
          <p className={styles.lead}>
            <Held />
          </p>
        </div>
        <span className={styles.quota}>
          {parameters.length} of {base.limits.parameters}
        </span>
        {readOnly ? null : (
          <Button
            leftSection={<IconPlus size={15} />}
            disabled={full}
            title={full ? `There may be at most ${base.limits.parameters} parameters` : undefined}
            onClick={() => {
              const added = newParameter(parameters);
              change({ parameters: [...parameters, added] });
              setOpen(`parameters ${added.key}`);
            }}
          >
            Add a parameter
          </Button>
        )}
      </header>
      {readOnly && base.managed_by === null ? <p className={styles.lead}>Only administrators change these: they decide which values leave a node.</p> : null}
      <Sentence parameters={parameters} />
      {wrong === undefined ? null : <p className={styles.error}>{wrong}</p>}
      {parameters.length === 0 ? (
        <Empty title="No parameters yet">
          <p>
            Sessions are grouped by the built-in set below. Add a parameter to group by a value of your own API, or to name
            the user and the role of a session.
          </p>
        </Empty>
      ) : (
        <Ladder shares={shares} whole={whole} />
      )}
      <BuiltIn rules={base.built_in} shares={shares ?? new Map()} fallbacks={fallbacks} whole={whole} />
    </>
  );
}
