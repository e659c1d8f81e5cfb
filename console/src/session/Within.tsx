// What is filtered inside the session, and the way out in both directions.

import { Button, Pill, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import type { Scope, Within as WithinKind } from "../filters/search";
import { sameToken, spell, type Token } from "../filters/token";
import { ChipText } from "../sessions/ChipText";
import { Legend } from "../thread/Legend";
import { useFollowing } from "../ui/useFollowing";
import styles from "./SessionView.module.css";

export interface WithinProps {
  readonly kind: WithinKind["kind"];
  readonly scope: Scope;
  readonly zoomed: boolean;
  readonly onChange: (tokens: readonly Token[], text: string) => void;
  readonly onDrop: () => void;
  readonly onLift: () => void;
  readonly onUnzoom: () => void;
}

export function Within({ kind, scope, zoomed, onChange, onDrop, onLift, onUnzoom }: WithinProps) {
  const [typed, setTyped] = useFollowing(scope.text);
  const filtered = scope.tokens.length > 0 || scope.text !== "";
  return (
    <search className={styles.within} aria-label="Within this session">
      <TextInput
        size="xs"
        w={170}
        aria-label="Search these exchanges"
        placeholder="search within"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={typed}
        maxLength={200}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            onChange(scope.tokens, typed.trim());
          } else if (event.key === "Escape") {
            event.stopPropagation();
            event.currentTarget.blur();
          }
        }}
        onBlur={() => {
          if (typed.trim() !== scope.text) {
            onChange(scope.tokens, typed.trim());
          }
        }}
      />
      {scope.tokens.map((token) => (
        <Pill
          key={spell(token)}
          className={styles.chip ?? ""}
          withRemoveButton
          removeButtonProps={{ "aria-label": `remove filter ${spell(token)}`, "aria-hidden": false, tabIndex: 0 }}
          onRemove={() => {
            onChange(
              scope.tokens.filter((held) => !sameToken(held, token)),
              scope.text,
            );
          }}
        >
          {token.negated ? "not " : ""}
          <ChipText token={token} />
        </Pill>
      ))}
      {kind === "list" && filtered ? <span className={styles.aside}>from the list</span> : null}
      {zoomed ? (
        <Button size="compact-xs" variant="subtle" onClick={onUnzoom}>
          whole thread
        </Button>
      ) : null}
      {filtered ? (
        <Button size="compact-xs" variant="subtle" onClick={onDrop}>
          show all requests
        </Button>
      ) : null}
      {filtered && kind === "own" ? (
        <Button size="compact-xs" variant="subtle" onClick={onLift}>
          apply filters to the list
        </Button>
      ) : null}
      <span className={styles.legend}>
        <Legend />
      </span>
    </search>
  );
}
