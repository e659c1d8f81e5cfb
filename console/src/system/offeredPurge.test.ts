import { describe, expect, it } from "vitest";
import { offeredPurge, offerPurge } from "./offeredPurge";

describe("what a session offers to be purged", () => {
  it("is there until something else is offered", () => {
    expect(offeredPurge()).toEqual({});
    offerPurge({ session: "00", user: "ada" });
    expect(offeredPurge()).toEqual({ session: "00", user: "ada" });
    offerPurge({});
    expect(offeredPurge()).toEqual({});
  });
});
