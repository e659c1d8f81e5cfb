// Captured bytes as text, and which byte each character stands for. The hub counts bytes, the page UTF-16 units.

export interface Captured {
  readonly text: string | null;
  readonly base64: string | null;
}

export interface DecodedBytes {
  readonly text: string;
  /** For each UTF-16 unit the byte its character begins at; one more for the end. Both halves of a pair have the same. */
  readonly at: Uint32Array;
}

/** Bytes that are not UTF-8 become U+FFFD, one for each byte. */
export function decode({ text, base64 }: Captured): DecodedBytes {
  return base64 === null ? ofText(text ?? "") : ofBytes(Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0)));
}

function ofText(text: string): DecodedBytes {
  const at = new Uint32Array(text.length + 1);
  let byte = 0;
  for (let unit = 0; unit < text.length; unit += 1) {
    const point = text.codePointAt(unit) ?? 0;
    at[unit] = byte;
    if (point > 0xff_ff) {
      unit += 1;
      at[unit] = byte;
    }
    byte += lengthOf(point);
  }
  at[text.length] = byte;
  return { text, at };
}

function lengthOf(point: number): number {
  return point < 0x80 ? 1 : point < 0x8_00 ? 2 : point < 0x1_00_00 ? 3 : 4;
}

function ofBytes(bytes: Uint8Array): DecodedBytes {
  const units: string[] = [];
  const at: number[] = [];
  for (let byte = 0; byte < bytes.length; ) {
    const point = characterAt(bytes, byte);
    const character = String.fromCodePoint(point ?? 0xff_fd);
    units.push(character);
    for (let unit = 0; unit < character.length; unit += 1) {
      at.push(byte);
    }
    byte += point === undefined ? 1 : lengthOf(point);
  }
  at.push(bytes.length);
  return { text: units.join(""), at: Uint32Array.from(at) };
}

/** The character whose UTF-8 form (RFC 3629) begins at a byte; undefined where none does. */
function characterAt(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start] ?? 0;
  if (first < 0x80) {
    return first;
  }
  const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
  if (more === 0) {
    return undefined;
  }
  let point = first & (0x3f >> more);
  for (let next = 1; next <= more; next += 1) {
    const byte = bytes[start + next];
    if (byte === undefined || byte >> 6 !== 0b10) {
      return undefined;
    }
    point = (point << 6) | (byte & 0x3f);
  }
  const surrogate = point >= 0xd8_00 && point <= 0xdf_ff;
  return lengthOf(point) === more + 1 && !surrogate && point <= 0x10_ff_ff ? point : undefined;
}

/** The units that hold the bytes of a range: whole characters, also where the range cuts through one. */
export function units({ at, text }: DecodedBytes, start: number, end: number): { readonly from: number; readonly to: number } {
  let from = firstFrom(at, start);
  if (from > 0 && (at[from] ?? 0) > start) {
    from = firstFrom(at, at[from - 1] ?? 0);
  }
  return { from: Math.min(from, text.length), to: Math.max(from, firstFrom(at, end)) };
}

/** The first unit that begins at a byte or behind it. */
function firstFrom(at: Uint32Array, byte: number): number {
  let low = 0;
  let high = at.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] ?? 0) < byte) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
