// C0 and C1 controls, and the characters that reorder or hide text (bidirectional overrides and isolates, zero-width
// marks, the byte order mark). A name that says one thing and shows another is an attack on the reader.
const unseen =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

/** The same text with every unseen character spelled out, as in `⟨U+202E⟩`. */
export function visible(text: string): string {
  return text.replaceAll(unseen, (mark) => `⟨U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
