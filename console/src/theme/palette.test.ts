import { describe, expect, it } from "vitest";
import { dark, light, type Palette } from "./palette";

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [bright, dim] = [luminance(one), luminance(other)].toSorted((a, b) => b - a) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

const text: readonly (readonly [keyof Palette, keyof Palette])[] = (
  ["text", "dim", "accent", "clientText", "serverText", "okText"] as const
).flatMap((front) => (["page", "surface", "sunk"] as const).map((back) => [front, back] as const));

describe.each([
  ["light", light],
  ["dark", dark],
])("%s palette", (_name, palette) => {
  it.each([
    ...text,
    ["text", "accentSoft"],
    ["dim", "accentSoft"],
    ["accent", "accentSoft"],
    ["onAccent", "accent"],
    ["clientText", "clientSoft"],
    ["serverText", "serverSoft"],
    ["clientText", "accentSoft"],
    ["serverText", "accentSoft"],
  ] as const)("text %s on %s reaches AA (4.5)", (front, back) => {
    expect(contrast(palette[front], palette[back])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(["ok", "redirect", "client", "server", "none", "attack", "edge"] as const)(
    "the mark %s can be told from its ground (3.0)",
    (mark) => {
      expect(contrast(palette[mark], palette.surface)).toBeGreaterThanOrEqual(3);
    },
  );
});
