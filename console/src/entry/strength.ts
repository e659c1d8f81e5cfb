// A hint while a password is typed. Length is what counts; the hub has the last word on what it accepts.

export interface Strength {
  /** 0 to 4. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly words: string;
}

export function strength(password: string): Strength {
  if (password === "") {
    return { level: 0, words: "At least 12 characters. Several unrelated words are strong and easy to remember." };
  }
  const length = [...password].length;
  const distinct = new Set(password).size;
  if (length < 12) {
    return { level: 1, words: `Too short: ${12 - length} more.` };
  }
  if (distinct < 6) {
    return { level: 1, words: "Too repetitive." };
  }
  if (length < 16) {
    return { level: 2, words: "Acceptable. Longer is better than more complicated." };
  }
  return length < 20 ? { level: 3, words: "Good." } : { level: 4, words: "Strong." };
}
