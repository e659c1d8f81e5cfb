// What may be chosen where one step is expected: steps that the message shows, steps that the hub allows, what is typed.

import type { SeenPoint, SeenStep } from "./listed";
import { seenAfter } from "./listed";
import { type Form, keyOf, type Step, spellStep } from "./steps";

export type Choice =
  /** A step that the message shows. */
  | { readonly kind: "seen"; readonly key: string; readonly text: string; readonly seen: SeenStep }
  /** A step that is complete as it is. */
  | { readonly kind: "step"; readonly key: string; readonly text: string; readonly hint: string }
  /** A word that needs a name, which is typed next. */
  | { readonly kind: "begin"; readonly key: string; readonly typed: string; readonly form: Form };

/** The parts of a token that points speak of; the hub judges them like any other name. */
const tokenParts = ["header", "payload", "signature", "prefix", "token"];

const hints: Readonly<Record<string, string>> = {
  all: "every value",
  names: "every name",
  trim: "without blanks around it",
  lower: "in lower case",
  bearer: "what follows Bearer",
  joined: "all values as one text",
};

/** A word that takes a name, with the name as far as it is typed. */
function begun(typed: string, forms: readonly Form[]): { readonly form: Form; readonly name: string } | undefined {
  const match = /^\s*(\S+)\s+(.*)$/su.exec(typed);
  const form = forms.find(({ word, takes }) => takes !== undefined && word === match?.[1]?.toLowerCase());
  return match === null || form === undefined ? undefined : { form, name: (match[2] ?? "").trim() };
}

export function choices(typed: string, forms: readonly Form[], points: readonly SeenPoint[], before: readonly Step[]): readonly Choice[] {
  const seen = seenAfter(points, before).filter(({ step }) => forms.some((form) => form.word === step.word));
  const named = begun(typed, forms);
  return named === undefined ? ofWords(typed.trim(), forms, seen) : ofNames(named.form, named.name, seen);
}

function ofNames(form: Form, name: string, seen: readonly SeenStep[]): readonly Choice[] {
  const found: Choice[] = [];
  if (name !== "" && fits(form, name)) {
    found.push(complete({ word: form.word, argument: unquoted(name) }, "as typed"));
  }
  const matching = seen.filter(({ step }) => step.word === form.word && includes(step.argument ?? "", name));
  found.push(...matching.map((one) => ofSeen(one)));
  if (form.takes === "PART") {
    const parts = tokenParts.filter((part) => includes(part, name));
    found.push(...parts.map((part) => complete({ word: form.word, argument: part }, "part of a token")));
  }
  return unique(found);
}

function ofWords(typed: string, forms: readonly Form[], seen: readonly SeenStep[]): readonly Choice[] {
  const found: Choice[] = [];
  const matching = seen.filter(({ step }) => includes(spellStep(step), typed));
  found.push(...matching.map((one) => ofSeen(one)));
  const words = forms.filter((form) => includes(form.word, typed));
  found.push(...words.map((form) => ofForm(form)));
  if (typed !== "" && words.length === 0) {
    // No step is called so: it may be the name of one.
    const taking = forms.filter((form) => form.takes === "NAME" || (form.takes === "N" && fits(form, typed)));
    found.push(...taking.map((form) => complete({ word: form.word, argument: unquoted(typed) }, "as typed")));
  }
  // What is typed in full comes first: Enter takes it.
  return unique(found).toSorted((one, other) => Number(isExactly(other, typed)) - Number(isExactly(one, typed)));
}

function ofSeen(seen: SeenStep): Choice {
  return { kind: "seen", key: keyOf(seen.step), text: spellStep(seen.step), seen };
}

function ofForm(form: Form): Choice {
  return form.takes === undefined
    ? { kind: "step", key: form.word, text: form.word, hint: form.every ? "every one" : (hints[form.word] ?? "") }
    : { kind: "begin", key: `${form.word} …`, typed: `${form.word} `, form };
}

function complete(step: Step, hint: string): Choice {
  return { kind: "step", key: keyOf(step), text: spellStep(step), hint };
}

function isExactly(choice: Choice, typed: string): boolean {
  return choice.kind === "step" && typed !== "" && choice.text === typed.toLowerCase();
}

function unique(found: readonly Choice[]): readonly Choice[] {
  // What the message shows knows more than what is typed, but stands where it came first.
  const seen = new Map(found.filter((choice) => choice.kind === "seen").map((choice) => [choice.key, choice]));
  return [...new Map(found.map((choice) => [choice.key, seen.get(choice.key) ?? choice])).values()];
}

function includes(text: string, typed: string): boolean {
  return text.toLowerCase().includes(typed.toLowerCase());
}

function fits(form: Form, name: string): boolean {
  return form.takes !== "N" || /^\d+$/u.test(name);
}

/** The name in a quoted spelling, or the name as it is. */
function unquoted(name: string): string {
  if (!/^".*"$/su.test(name)) {
    return name;
  }
  try {
    const read: unknown = JSON.parse(name);
    return typeof read === "string" ? read : name;
  } catch {
    return name;
  }
}

/** What stands for what was typed when it is left without a choice: nothing typed is lost. */
export function leftOver(typed: string, forms: readonly Form[]): string {
  const named = begun(typed, forms);
  return named === undefined || named.name === "" ? typed.trim() : spellStep({ word: named.form.word, argument: unquoted(named.name) });
}
