// Where one step is typed or chosen. Text with separators stands for several at once.

import { Combobox, useCombobox } from "@mantine/core";
import { type KeyboardEvent, type Ref, useState } from "react";
import { visible } from "../../ui/visible";
import { type Choice, choices, leftOver } from "./choices";
import type { SeenPoint } from "./listed";
import styles from "./Steps.module.css";
import { type Step, typedThrough } from "./steps";
import { useForms } from "./useVerdict";

export interface StepInputProps {
  readonly ref?: Ref<HTMLInputElement> | undefined;
  readonly label: string;
  readonly describedBy?: string | undefined;
  readonly placeholder: string;
  readonly invalid: boolean;
  readonly before: readonly Step[];
  readonly points: readonly SeenPoint[];
  /** What it holds at first: the step that is to be replaced. */
  readonly initial?: string;
  /** It was asked for: this is where the reader goes on. */
  readonly asked?: boolean;
  readonly onCommit: (text: string) => void;
  /** Nothing is to be changed after all. */
  readonly onCancel?: () => void;
  /** Backspace or an arrow to the left where nothing is typed. */
  readonly onLeave?: (key: "Backspace" | "ArrowLeft") => void;
}

const shownAtMost = 80;

export function StepInput(props: StepInputProps) {
  const { before, points, initial = "", onCommit, onCancel, onLeave } = props;
  const [typed, setTyped] = useState(initial);
  // What is to be replaced is no filter yet: all that may stand there is offered.
  const [touched, setTouched] = useState(false);
  const forms = useForms(before);
  const combobox = useCombobox({ onDropdownClose: () => { combobox.resetSelectedOption(); } });
  const filter = touched ? typed : "";
  const offered = forms === undefined ? [] : choices(filter, forms, points, before);
  const shown = offered.slice(0, shownAtMost);

  const commit = (text: string): void => {
    setTyped("");
    setTouched(false);
    combobox.resetSelectedOption();
    onCommit(text);
  };
  const take = (choice: Choice | undefined): void => {
    if (choice === undefined) {
      return;
    }
    if (choice.kind === "begin") {
      setTyped(choice.typed);
      setTouched(true);
      combobox.resetSelectedOption();
    } else {
      commit(choice.text);
    }
  };
  const cancel = (): void => {
    setTyped(initial);
    setTouched(false);
    onCancel?.();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const { key } = event;
    if (key === "Enter") {
      event.preventDefault();
      // With an option marked, the list takes it.
      if (!combobox.dropdownOpened || combobox.getSelectedOptionIndex() === -1) {
        if (filter.trim() === "") {
          cancel();
        } else {
          take(shown[0] ?? { kind: "step", key: "", text: leftOver(typed, forms ?? []), hint: "" });
        }
      }
    } else if (key === "Escape") {
      if (combobox.dropdownOpened || onCancel !== undefined) {
        event.stopPropagation();
      }
      combobox.closeDropdown();
      if (onCancel !== undefined || typed !== "") {
        cancel();
      }
    } else if ((key === "Backspace" || key === "ArrowLeft") && typed === "" && onLeave !== undefined) {
      event.preventDefault();
      onLeave(key);
    }
  };
  return (
    <Combobox
      store={combobox}
      width={340}
      position="bottom-start"
      // The list grows when the hub has answered: it must turn upwards then.
      preventPositionChangeWhenVisible={false}
      middlewares={{ shift: true, flip: true }}
      onOptionSubmit={(value) => {
        take(shown[Number(value)]);
      }}
    >
      <Combobox.Target>
        <input
          ref={props.ref}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- only where somebody just asked for it
          autoFocus={props.asked}
          className={styles.input}
          aria-label={props.label}
          aria-describedby={props.describedBy}
          aria-invalid={props.invalid || undefined}
          placeholder={props.placeholder}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          maxLength={8192}
          // As wide as what is typed, so that the point reads on.
          size={Math.min(Math.max(typed.length, props.placeholder.length, 4) + 1, 60)}
          value={typed}
          onFocus={(event) => {
            combobox.openDropdown();
            if (initial !== "") {
              event.currentTarget.select();
            }
          }}
          onClick={() => {
            combobox.openDropdown();
          }}
          onBlur={() => {
            combobox.closeDropdown();
            const left = touched ? leftOver(typed, forms ?? []) : "";
            if (left !== "") {
              commit(left);
            } else {
              cancel();
            }
          }}
          onChange={(event) => {
            const text = event.currentTarget.value.replaceAll("\n", " ");
            const through = typedThrough(text);
            if (through !== undefined && through.done.trim() !== "") {
              commit(through.done);
              return;
            }
            setTyped(text);
            setTouched(true);
            combobox.openDropdown();
            combobox.resetSelectedOption();
          }}
          onKeyDown={onKeyDown}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={shown.length === 0} className={styles.dropdown ?? ""}>
        <Combobox.Options className={styles.options ?? ""} aria-label="Steps that may stand here">
          {shown.map((choice, position) => (
            <Combobox.Option key={choice.key} value={String(position)} className={styles.option ?? ""} data-first={(filter.trim() !== "" && position === 0) || undefined}>
              <Offered choice={choice} />
            </Combobox.Option>
          ))}
        </Combobox.Options>
        {offered.length > shown.length ? <Combobox.Footer>{offered.length - shown.length} more: type to narrow them</Combobox.Footer> : null}
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Offered({ choice }: { readonly choice: Choice }) {
  if (choice.kind === "begin") {
    const takes = choice.form.takes?.toLowerCase();
    return (
      <>
        <span className={styles.word}>{choice.form.word}</span>
        <span className={styles.takes}>{takes === "n" ? "number" : takes}…</span>
      </>
    );
  }
  if (choice.kind === "step") {
    return (
      <>
        <bdi className={styles.text}>{visible(choice.text)}</bdi>
        <span className={styles.hint}>{choice.hint}</span>
      </>
    );
  }
  const { seen } = choice;
  const value = seen.ends ? seen.point.listed.value?.content.text : undefined;
  return (
    <>
      <bdi className={styles.text}>{visible(choice.text)}</bdi>
      <bdi className={styles.example}>
        {value === null || value === undefined ? (seen.ends ? seen.point.listed.found : `${seen.count} below`) : visible(value.slice(0, 60))}
      </bdi>
    </>
  );
}
