import { describe, expect, it } from "vitest";
import type { ExportedField, LeavingField } from "./questions";
import { byNode, changeWords, inGroups, nameOf } from "./words";

function field(name: string, group: string, form = "clear"): LeavingField {
  return { field: name, about: "", group, origin: "always", form, point: null, note: null, exchanges: 0, bytes: 0, example: null };
}

function exported(node: string | null, name: string, bytes: number): ExportedField {
  return { node, field: name, form: "clear", values: 1, bytes, first_day: "2026-11-23", last_day: "2026-11-23" };
}

describe("fields", () => {
  it("stand in their groups, what leaves first, and unknown groups last", () => {
    const groups = inGroups([field("new", "constructor"), field("country", "place", "not exported"), field("host", "place"), field("path", "request")]);
    expect(groups.map(({ title, fields }) => [title, fields.map((one) => one.field)])).toEqual([
      ["Who and where", ["host", "country"]],
      ["Request line", ["path"]],
      ["constructor", ["new"]],
    ]);
  });

  it("are named without the ledger's prefix", () => {
    expect(nameOf("parameter parameter x")).toEqual({ kind: "parameter", name: "parameter x" });
    expect(nameOf("session_value builtin")).toEqual({ kind: undefined, name: "session_value builtin" });
  });

  it("say how they change", () => {
    expect(changeWords({ field: "a", kind: "newly", from: "not exported", to: "hashed" })).toBe("newly leaves, hashed");
    expect(changeWords({ field: "a", kind: "no_longer", from: "clear", to: "not exported" })).toBe("no longer leaves; it left in clear");
    expect(changeWords({ field: "a", kind: "form", from: "clear", to: "hashed" })).toBe("leaves hashed, before in clear");
  });
});

describe("the ledger", () => {
  it("stands by node, most bytes first; a node without a name is one", () => {
    const nodes = byNode([exported("b", "host", 1), exported(null, "host", 3), exported("b", "path", 9), exported("__proto__", "host", 4)]);
    expect(nodes.map(({ node, bytes, fields }) => [node, bytes, fields.map((one) => one.field)])).toEqual([
      ["b", 10, ["path", "host"]],
      ["__proto__", 4, ["host"]],
      [undefined, 3, ["host"]],
    ]);
  });
});
