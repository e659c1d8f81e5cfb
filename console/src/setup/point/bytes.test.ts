import { describe, expect, it } from "vitest";
import { decode, units } from "./bytes";

function ofText(text: string) {
  return decode({ text, base64: null });
}

function cut(text: string, start: number, end: number): string {
  const decoded = ofText(text);
  const { from, to } = units(decoded, start, end);
  return decoded.text.slice(from, to);
}

describe("bytes and characters", () => {
  it("agree with the encoder on every character boundary", () => {
    const text = "a\u00FC\u20AC\u{1F469}\u05E9z\u{10FFFF}\u0000\uFFFF";
    const encoder = new TextEncoder();
    const decoded = ofText(text);
    let unit = 0;
    for (const character of text) {
      const start = encoder.encode(text.slice(0, unit)).length;
      const end = start + encoder.encode(character).length;
      expect(decoded.at[unit]).toBe(start);
      expect(units(decoded, start, end)).toEqual({ from: unit, to: unit + character.length });
      unit += character.length;
    }
    expect(decoded.at[text.length]).toBe(encoder.encode(text).length);
  });

  it.each([
    ["älice", 0, 6, "älice"],
    ["älice", 2, 6, "lice"],
    ["x👩y", 1, 5, "👩"],
    ["x👩y", 5, 6, "y"],
    ["", 0, 0, ""],
    ["abc", 1, 1, ""],
    ["abc", 2, 90, "c"],
  ])("cuts %j from byte %d to %d", (text, start, end, expected) => {
    expect(cut(text, start, end)).toBe(expected);
  });

  it("never cuts through a character", () => {
    expect(cut("x👩y", 2, 3)).toBe("👩");
    expect(cut("aüb", 2, 3)).toBe("ü");
  });

  it("keeps bytes that are no text apart, one character each", () => {
    // `ä`, a lone 0xFF, an overlong slash, half a surrogate pair, `👩` cut off at the end.
    const bytes = [0xc3, 0xa4, 0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x41, 0xf0, 0x9f, 0x91];
    const decoded = decode({ text: null, base64: btoa(String.fromCharCode(...bytes)) });
    expect(decoded.text).toBe(`ä${"\uFFFD".repeat(6)}A${"\uFFFD".repeat(3)}`);
    expect(units(decoded, 8, 9)).toEqual({ from: 7, to: 8 });
    expect([...decoded.at]).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("reads text that came as bytes like text", () => {
    const text = "é👩 ok";
    const bytes = new TextEncoder().encode(text);
    const decoded = decode({ text: null, base64: btoa(String.fromCharCode(...bytes)) });
    expect(decoded).toEqual(ofText(text));
  });
});
