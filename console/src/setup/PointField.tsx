// A point as text, checked by the hub while it is typed.

import { Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { checkPoint } from "../api/policy";
import { asProblem } from "../api/problem";
import { Breadcrumb } from "../ui/Breadcrumb";
import styles from "./Setup.module.css";

export interface PointFieldProps {
  readonly value: string;
  /** What the hub said when it was last saved. */
  readonly error: string | undefined;
  readonly onChange: (value: string) => void;
  readonly onNormalised: (value: string, breadcrumb: readonly string[]) => void;
}

export function PointField({ value, error, onChange, onNormalised }: PointFieldProps) {
  const [asked] = useDebouncedValue(value.trim(), 250);
  const check = useQuery({ ...checkPoint(asked), enabled: asked !== "", placeholderData: (previous) => previous });
  const current = asked === value.trim() && !check.isPlaceholderData;
  const verdict = value.trim() === "" ? undefined : check.data;
  const wrong = current ? verdict?.error?.reason : undefined;
  const failed = check.error === null ? undefined : asProblem(check.error).message;
  return (
    <div>
      <Textarea
        label="Point"
        description="Where the value stands, step by step"
        placeholder="request > header AUTHORIZATION > bearer"
        autosize
        minRows={1}
        maxRows={4}
        spellCheck={false}
        classNames={{ input: styles.point ?? "" }}
        value={value}
        error={wrong ?? error ?? failed}
        onChange={(event) => {
          onChange(event.currentTarget.value.replaceAll("\n", " "));
        }}
        onBlur={() => {
          const spellings = current ? verdict?.spellings : undefined;
          if (spellings !== null && spellings !== undefined) {
            onNormalised(spellings.point, spellings.breadcrumb);
          }
        }}
      />
      <div className={styles.verdict} data-stale={!current || undefined} aria-live="polite">
        {verdict?.spellings === null || verdict?.spellings === undefined ? null : (
          <>
            <Breadcrumb steps={verdict.spellings.breadcrumb} />
            {verdict.spellings.hashed_by_default ? <span className={styles.aside}>credentials stand here</span> : null}
          </>
        )}
      </div>
    </div>
  );
}
