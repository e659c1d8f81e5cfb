// Chips and text in one bar. What is typed as `field:value` becomes a chip; everything else is free text.

import { ActionIcon, Combobox, Pill, PillsInput, Tooltip, useCombobox } from "@mantine/core";
import { IconLock, IconSearch } from "@tabler/icons-react";
import type { KeyboardEvent, Ref } from "react";
import { read, sameToken, spell, type Token } from "../filters/token";
import { useFollowing } from "../ui/useFollowing";
import { visible } from "../ui/visible";
import { plural } from "../ui/format";
import { ChipText } from "./ChipText";
import styles from "./FilterBar.module.css";
import { type Suggestion, useSuggestions } from "./suggestions";
import type { Scope } from "../filters/search";

export interface FilterBarProps {
  readonly scope: Scope;
  readonly onChange: (tokens: readonly Token[], text: string) => void;
  readonly inputRef: Ref<HTMLInputElement>;
  /** Finds a hashed value by its value in clear; undefined for who may not. */
  readonly onFind: (() => void) | undefined;
}

export function FilterBar({ scope, onChange, inputRef, onFind }: FilterBarProps) {
  const { tokens, text } = scope;
  // The address may change without the bar: a facet was clicked, the reader went back.
  const [typed, setTyped] = useFollowing(text);
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
    },
  });
  const suggestions = useSuggestions(typed, scope, combobox.dropdownOpened);

  const commit = (input: string): void => {
    const found = read(input);
    const added = found.tokens.filter((one) => !tokens.some((held) => sameToken(held, one)));
    onChange([...tokens, ...added], found.text);
    setTyped(found.text);
    combobox.closeDropdown();
  };
  const take = (suggestion: Suggestion | undefined): void => {
    if (suggestion === undefined) {
      return;
    }
    if (suggestion.finished) {
      commit(suggestion.input);
    } else {
      setTyped(suggestion.input);
      combobox.resetSelectedOption();
    }
  };
  const remove = (token: Token): void => {
    onChange(
      tokens.filter((held) => !sameToken(held, token)),
      text,
    );
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const last = tokens.at(-1);
    if (event.key === "Enter" && combobox.getSelectedOptionIndex() === -1) {
      event.preventDefault();
      commit(typed);
    } else if (event.key === "Backspace" && typed === "" && last !== undefined) {
      event.preventDefault();
      remove(last);
      setTyped(spell(last));
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (combobox.dropdownOpened) {
        combobox.closeDropdown();
      } else {
        event.currentTarget.blur();
      }
    }
  };

  return (
    <Combobox
      store={combobox}
      width={440}
      position="bottom-start"
      onOptionSubmit={(value) => {
        take(suggestions[Number(value)]);
      }}
    >
      <Combobox.DropdownTarget>
        <PillsInput
          className={styles.bar ?? ""}
          size="sm"
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={onFind === undefined ? undefined : <Find onFind={onFind} />}
          rightSectionPointerEvents="all"
          onClick={() => {
            combobox.openDropdown();
          }}
        >
          <Pill.Group gap={4}>
            {tokens.map((token) => (
              <Pill
                key={spell(token)}
                className={styles.chip ?? ""}
                data-negated={token.negated || undefined}
                withRemoveButton
                removeButtonProps={{ "aria-label": `remove filter ${spell(token)}`, "aria-hidden": false, tabIndex: 0 }}
                onRemove={() => {
                  remove(token);
                }}
              >
                <button
                  type="button"
                  className={styles.flip}
                  title={token.negated ? "left out; click to require" : "required; click to leave out"}
                  onClick={(event) => {
                    event.stopPropagation();
                    onChange(
                      tokens.map((held) => (sameToken(held, token) ? { ...held, negated: !held.negated } : held)),
                      text,
                    );
                  }}
                >
                  {token.negated ? <span className={styles.not}>not </span> : null}
                  <ChipText token={token} />
                </button>
              </Pill>
            ))}
            <Combobox.EventsTarget>
              <PillsInput.Field
                ref={inputRef}
                value={typed}
                maxLength={2000}
                placeholder={tokens.length === 0 ? "Filter: user, host:api.shop.io, status:4xx, -method:GET, any text" : ""}
                aria-label="Filter sessions"
                aria-keyshortcuts="/"
                onFocus={() => {
                  combobox.openDropdown();
                }}
                onBlur={() => {
                  combobox.closeDropdown();
                  if (typed !== text) {
                    commit(typed);
                  }
                }}
                onChange={(event) => {
                  setTyped(event.currentTarget.value);
                  combobox.openDropdown();
                  combobox.resetSelectedOption();
                }}
                onKeyDown={onKeyDown}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      <Combobox.Dropdown hidden={suggestions.length === 0}>
        <Combobox.Options mah={320} style={{ overflowY: "auto" }}>
          {suggestions.map((suggestion, position) => (
            <Combobox.Option key={suggestion.key} value={String(position)}>
              <span className={styles.option}>
                <bdi>{visible(suggestion.label)}</bdi>
                <span className={styles.hint}>
                  {suggestion.count === undefined ? suggestion.hint : plural(suggestion.count, "exchange")}
                </span>
              </span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Find({ onFind }: { readonly onFind: () => void }) {
  return (
    <Tooltip label="Find a hashed value by what it is in clear">
      <ActionIcon
        size="sm"
        aria-label="Find a hashed value…"
        onClick={(event) => {
          event.stopPropagation();
          onFind();
        }}
      >
        <IconLock size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
