// Completion for the filter bar: first the field, then its values, counted by the hub over the same time and filters.

import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { facets } from "../api/queries";
import { fieldNamed, fields, type FilterField } from "../filters/fields";
import type { Scope } from "../filters/search";
import { spell } from "../filters/token";

export interface Suggestion {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  readonly count: number | undefined;
  /** What the bar holds when it is taken. */
  readonly input: string;
  /** Whether that is a whole token. */
  readonly finished: boolean;
}

interface LastWord {
  readonly before: string;
  readonly negated: boolean;
  readonly name: string;
  /** Undefined while the field itself is being typed. */
  readonly value: string | undefined;
}

const valuesAsked = 50;
const shownAtMost = 12;

export function useSuggestions(typed: string, scope: Scope, open: boolean): readonly Suggestion[] {
  const word = lastWord(typed);
  const field = word.value === undefined ? undefined : fieldNamed(word.name);
  const [asked] = useDebouncedValue(field?.counted === true ? field : undefined, 150);
  const counted = useQuery({
    ...facets(scope, asked === undefined ? [] : [asked.name], valuesAsked),
    enabled: open && asked !== undefined,
  });
  if (!open) {
    return [];
  }
  if (field === undefined) {
    return word.value === undefined ? fieldSuggestions(word) : [];
  }
  const answer = counted.data?.facets.find((facet) => facet.field === field.name);
  const wanted = (word.value ?? "").replaceAll('"', "").toLowerCase();
  const found: Suggestion[] = [];
  for (const { value, exchanges } of answer?.values ?? []) {
    if (value !== null && value !== undefined && value.toLowerCase().includes(wanted) && found.length < shownAtMost) {
      const text = spell({ field: field.name, value, negated: word.negated });
      found.push({ key: text, label: value, hint: "", count: exchanges, input: `${word.before}${text}`, finished: true });
    }
  }
  return found.length > 0 ? found : [hintOf(field, word)];
}

function fieldSuggestions(word: LastWord): readonly Suggestion[] {
  const wanted = word.name.toLowerCase();
  return fields
    .filter((field) => field.name.startsWith(wanted) || field.label.toLowerCase().startsWith(wanted))
    .map((field) => ({
      key: field.name,
      label: `${word.negated ? "-" : ""}${field.name}:`,
      hint: field.hint,
      count: undefined,
      input: `${word.before}${word.negated ? "-" : ""}${field.name}:`,
      finished: false,
    }));
}

/** For fields whose values are not counted: what may stand there. Taking it changes nothing. */
function hintOf(field: FilterField, word: LastWord): Suggestion {
  const input = `${word.before}${word.negated ? "-" : ""}${field.name}:${word.value ?? ""}`;
  return { key: "hint", label: input.trimStart(), hint: field.hint, count: undefined, input, finished: word.value !== "" };
}

function lastWord(typed: string): LastWord {
  // A quoted value may hold spaces: the word begins after the last space outside quotes.
  let start = 0;
  let quoted = false;
  for (const [position, mark] of [...typed].entries()) {
    if (mark === '"') {
      quoted = !quoted;
    } else if (mark === " " && !quoted) {
      start = position + 1;
    }
  }
  const characters = [...typed];
  const word = characters.slice(start).join("");
  const before = characters.slice(0, start).join("");
  const negated = word.startsWith("-");
  const bare = negated ? word.slice(1) : word;
  const colon = bare.indexOf(":");
  return colon === -1
    ? { before, negated, name: bare, value: undefined }
    : { before, negated, name: bare.slice(0, colon), value: bare.slice(colon + 1) };
}
