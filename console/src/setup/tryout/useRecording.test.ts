// What is not even read.

import { describe, expect, it } from "vitest";
import { longestRecording, refusal } from "./useRecording";

describe("refusal", () => {
  it("takes one file up to what the API takes", () => {
    expect(refusal([{ size: longestRecording }])).toBeUndefined();
    expect(refusal([{ size: longestRecording + 1 }])).toMatch(/at most 16\.0 MiB/u);
    expect(refusal([{ size: 0 }])).toMatch(/empty/u);
    expect(refusal([{ size: 1 }, { size: 1 }])).toMatch(/one at a time/u);
    expect(refusal([])).toMatch(/no file/u);
  });
});
