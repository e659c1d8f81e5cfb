import { describe, expect, it } from "vitest";
import { visible } from "./visible";

describe("captured text", () => {
  it.each([
    ["invoice\u202Efdp.exe", "invoice⟨U+202E⟩fdp.exe"],
    ["a\u0000b\u001B[31m", "a⟨U+0000⟩b⟨U+001B⟩[31m"],
    ["line\r\nbreak", "line⟨U+000D⟩⟨U+000A⟩break"],
    ["zero\u200Bwidth", "zero⟨U+200B⟩width"],
    ["tag\u{E0041}", "tag⟨U+E0041⟩"],
  ])("shows what would not be seen: %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("leaves scripts and emoji alone", () => {
    for (const text of ["Ünï", "שלום", "日本", "<img src=x onerror=alert(1)>", "👩"]) {
      expect(visible(text)).toBe(text);
    }
  });
});
