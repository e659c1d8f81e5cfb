// A hint while a password is typed. Length is what counts; the hub has the last word on what it accepts.

export interface Strength {
  /** 0 to 4. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly words: string;
}

export function strength(password: string): Strength {
  if (password === "") {
    return { level: 0, words: "Several unrelated words are strong and easy to remember." };
  }
  const length = [...password].length;
  const distinct = new Set(password).size;
  if (length < 8 || distinct < 4) {
    return { level: 1, words: distinct < 4 && length >= 8 ? "Too repetitive." : "Too short to resist guessing." };
  }
  if (length < 12 || distinct < 6) {
    return { level: 2, words: "Weak: longer is better than more complicated." };
  }
  return length < 16 ? { level: 3, words: "Good." } : { level: 4, words: "Strong." };
}
