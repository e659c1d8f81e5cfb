// A point as steps and as text. Only the spelling is read and written here, never which step may follow which: that is
// asked (`POST /policy/points/check`).

export interface Step {
  readonly word: string;
  /** The name, number or expression behind the word; undefined where there is none. */
  readonly argument: string | undefined;
}

/** Characters that the text spelling quotes: blanks, separators, quotes, and what would not be seen. */
const quoted =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\s>›"\u0000-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/u;
const unseen =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu;

function spellName(name: string): string {
  if (name !== "" && !quoted.test(name)) {
    return name;
  }
  return JSON.stringify(name).replaceAll(unseen, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** `property token` */
export function spellStep(step: Step): string {
  return step.argument === undefined ? step.word : `${step.word} ${spellName(step.argument)}`;
}

/** `request > body > json > property token` */
export function spell(steps: readonly Step[]): string {
  return steps.map((step) => spellStep(step)).join(" > ");
}

/** One word or quoted name at the front, or a separator. */
const token = /^\s*(?:(>)|("(?:[^"\\]|\\.)*")(?=\s|>|$)|([^\s>"›]+)(?=\s|>|$))/u;

interface Split {
  /** The words of each step; a step that is not begun yet has none. */
  readonly parts: readonly (readonly string[])[];
  /** Where the last step begins in the text. */
  readonly last: number;
}

/** The text cut at its separators; undefined where it cannot be: a quote that is not closed, a quoted word. */
function split(text: string): Split | undefined {
  const parts: string[][] = [[]];
  let last = 0;
  let rest = text;
  while (rest.trim() !== "") {
    const match = token.exec(rest);
    if (match === null) {
      return undefined;
    }
    rest = rest.slice(match[0].length);
    const [, separator, name, word] = match;
    if (separator !== undefined) {
      parts.push([]);
      last = text.length - rest.length;
    } else if (name === undefined) {
      parts.at(-1)?.push(word ?? "");
    } else {
      const read = unquote(name);
      if (read === undefined || parts.at(-1)?.length === 0) {
        return undefined;
      }
      parts.at(-1)?.push(read);
    }
  }
  return { parts, last };
}

function unquote(name: string): string | undefined {
  try {
    const read: unknown = JSON.parse(name);
    return typeof read === "string" ? read : undefined;
  } catch {
    return undefined;
  }
}

/** The steps that a text spells; undefined where it is no row of steps, so that only the text can be shown. */
export function readSteps(text: string): readonly Step[] | undefined {
  if (text.trim() === "") {
    return [];
  }
  const parts = split(text)?.parts;
  if (parts === undefined) {
    return undefined;
  }
  // Whoever types `request >` is not done; everywhere else a step without a word is a fault.
  const begun = parts.at(-1)?.length === 0 ? parts.slice(0, -1) : parts;
  const steps: Step[] = [];
  for (const [word, argument, more] of begun) {
    if (word === undefined || more !== undefined) {
      return undefined;
    }
    steps.push({ word, argument });
  }
  return steps;
}

/** The steps of the JSON spelling. */
export function fromJson(point: readonly unknown[]): readonly Step[] {
  return point.map((step) => {
    if (!Array.isArray(step)) {
      return { word: String(step), argument: undefined };
    }
    const [word, argument] = step as unknown[];
    return { word: String(word), argument: argument === undefined ? undefined : String(argument) };
  });
}

/** What was typed where one step is expected, when it holds a separator: the text up to where typing goes on. */
export function typedThrough(typed: string): { readonly done: string; readonly rest: string } | undefined {
  const found = typed.includes(">") ? split(typed) : undefined;
  if (found === undefined || found.parts.length < 2) {
    return undefined;
  }
  const rest = typed.slice(found.last);
  if (rest.trim() === "") {
    return { done: typed.slice(0, found.last).replace(/\s*>\s*$/u, ""), rest: "" };
  }
  // Text behind a separator was pasted: nobody can have typed it, for a separator ends the step at once.
  return { done: typed, rest: "" };
}

/** Whether a text spells a point from its first step on, so that it stands for the whole. */
export function isWhole(text: string): boolean {
  return /^\s*(?:request|response)\s*>/iu.test(text);
}

/** The point with text in the place of the steps from `from` to `to`: inserted where the two are equal. */
export function splice(steps: readonly Step[], from: number, to: number, text: string): string {
  const around = [...steps.slice(0, from).map((step) => spellStep(step)), text.trim(), ...steps.slice(to).map((step) => spellStep(step))];
  return around.filter((part) => part !== "").join(" > ");
}

/** Steps that mean the same have equal keys: header names compare without case. */
export function keyOf(step: Step): string {
  const word = step.word.toLowerCase();
  const argument = word === "header" ? step.argument?.toUpperCase() : step.argument;
  return argument === undefined ? word : `${word} ${JSON.stringify(argument)}`;
}

export function keysOf(steps: readonly Step[]): string {
  return steps.map((step) => keyOf(step)).join(">");
}

/** A step that may stand somewhere, as the hub names it: `property NAME`, `json`. */
export interface Form {
  readonly word: string;
  /** What follows the word: `NAME`, `N`, `PART`, `REGEX`; undefined for nothing. */
  readonly takes: string | undefined;
  /** The word alone, where it also takes a name: every one of them, and `all` or `names` must follow. */
  readonly every: boolean;
}

export function readForms(allowed: readonly string[]): readonly Form[] {
  const forms = allowed.map((form) => {
    const [word = "", takes] = form.split(" ");
    return { word, takes };
  });
  return forms.map(({ word, takes }) => ({
    word,
    takes,
    every: takes === undefined && forms.some((other) => other.word === word && other.takes !== undefined),
  }));
}
