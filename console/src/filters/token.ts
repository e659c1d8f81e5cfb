// One chip of the filter bar, and its spelling as text: `field:value`, `-field:value`, quotes where the value needs
// them. Words that are not a known field's token are free text.

import { type FieldName, isFieldName } from "./fields";

export interface Token {
  readonly field: FieldName;
  readonly value: string;
  readonly negated: boolean;
}

export interface Typed {
  readonly tokens: readonly Token[];
  /** Free text, words joined with one space. */
  readonly text: string;
}

export function sameToken(one: Token, other: Token): boolean {
  return one.field === other.field && one.value === other.value && one.negated === other.negated;
}

/** The token as it is typed. */
export function spell(token: Token): string {
  const bare = token.value !== "" && !/[\s"\\]/u.test(token.value);
  const value = bare ? token.value : `"${token.value.replaceAll(/["\\]/gu, (mark) => `\\${mark}`)}"`;
  return `${token.negated ? "-" : ""}${token.field}:${value}`;
}

/** The value as the API takes it: `!` in front negates, a backslash takes what follows literally. */
export function asParameter(token: Token): string {
  const literal = /^[!\\]/u.test(token.value) ? `\\${token.value}` : token.value;
  return token.negated ? `!${literal}` : literal;
}

export function fromParameter(field: FieldName, text: string): Token {
  const negated = text.startsWith("!");
  const literal = negated ? text.slice(1) : text;
  return { field, value: literal.startsWith("\\") ? literal.slice(1) : literal, negated };
}

/** Reads what was typed or pasted. Never fails: what is no token is free text. */
export function read(input: string): Typed {
  const tokens: Token[] = [];
  const words: string[] = [];
  for (const word of split(input)) {
    const token = readWord(word);
    if (token === undefined) {
      words.push(word.text);
    } else if (!tokens.some((held) => sameToken(held, token))) {
      tokens.push(token);
    }
  }
  return { tokens, text: words.join(" ") };
}

interface Word {
  /** The word without its quotes. */
  readonly text: string;
  /** Where the first quote stood, in `text`; a field's name is never quoted. */
  readonly quotedFrom: number | undefined;
}

function readWord(word: Word): Token | undefined {
  const negated = word.text.startsWith("-");
  const from = negated ? 1 : 0;
  const colon = word.text.indexOf(":");
  if (colon <= from || (word.quotedFrom !== undefined && word.quotedFrom <= colon)) {
    return undefined;
  }
  const field = word.text.slice(from, colon);
  const value = word.text.slice(colon + 1);
  return isFieldName(field) && value !== "" ? { field, value, negated } : undefined;
}

function split(input: string): Word[] {
  const words: Word[] = [];
  let text = "";
  let quotedFrom: number | undefined;
  let quoted = false;
  let escaped = false;
  const close = (): void => {
    if (text !== "" || quotedFrom !== undefined) {
      words.push({ text, quotedFrom });
    }
    text = "";
    quotedFrom = undefined;
  };
  for (const mark of input) {
    if (escaped) {
      text += mark;
      escaped = false;
    } else if (quoted && mark === "\\") {
      escaped = true;
    } else if (mark === '"') {
      quotedFrom ??= text.length;
      quoted = !quoted;
    } else if (!quoted && /\s/u.test(mark)) {
      close();
    } else {
      text += mark;
    }
  }
  close();
  return words;
}
