import { describe, expect, it } from "vitest";
import type { PolicyDocument } from "../api/types";
import { about, byRow, bySection, elsewhere } from "./complaints";
import { isChanged, move, newParameter, replace, toDocument, toDraft } from "./draft";
import { merge } from "./merge";

const parameter = (name: string, more: Partial<PolicyDocument["parameters"][number]> = {}): PolicyDocument["parameters"][number] => ({
  name,
  point: `request > query ${name}`,
  type: "none",
  group: true,
  hashed: false,
  ...more,
});
const policy = (...names: readonly string[]): PolicyDocument => ({
  applications: [],
  analysed: {},
  masks: [],
  parameters: names.map((name) => parameter(name)),
});
const names = (document: PolicyDocument): string => document.parameters.map(({ name }) => name).join("");

describe("editing", () => {
  const draft = toDraft(policy("a", "b", "c"));

  it("moves a row anywhere and stops at the ends", () => {
    const moved = (from: number, to: number): string => move(draft.parameters, from, to).map(({ name }) => name).join("");
    expect(moved(2, 0)).toBe("cab");
    expect(moved(0, 2)).toBe("bca");
    expect(move(draft.parameters, 0, -1)).toBe(draft.parameters);
    expect(move(draft.parameters, 2, 3)).toBe(draft.parameters);
  });

  it("knows when something would be saved", () => {
    expect(isChanged(draft, toDraft(policy("a", "b", "c")))).toBe(false);
    expect(isChanged({ ...draft, parameters: replace(draft.parameters, 1, { group: false }) }, draft)).toBe(true);
    expect(isChanged({ ...draft, parameters: move(draft.parameters, 0, 1) }, draft)).toBe(true);
    expect(isChanged({ ...draft, analysed: { ...draft.analysed, hosts: ["a.example"] } }, draft)).toBe(true);
  });

  it("gives back what it was made of, sections that it does not know included", () => {
    const document = {
      ...policy("a"),
      parameters: [parameter("a", { with: ["request > query b"], scope: { paths: ["/api"] }, namespace: "n" })],
      masks: [{ point: "request > body", scope: { methods: ["POST"] } }],
      applications: [{ id: "shop", name: "Shop", hosts: ["a.example"], paths: [] }],
      later: { setting: 1 },
    };
    expect(toDocument(toDraft(document))).toEqual(document);
  });

  it("leaves hashing to the hub unless somebody chose", () => {
    const added = toDocument({ ...draft, parameters: [newParameter(draft.parameters)] }).parameters[0];
    expect(added).toEqual({ name: "", point: "", type: "none", group: true });
    expect(newParameter(draft.parameters).key).toBe(3);
    expect(newParameter([]).key).toBe(0);
  });

  it("sends what belongs to keys with keys only", () => {
    const parameters = replace(draft.parameters, 0, { with: ["request > query b"], namespace: "n", group: false });
    expect(toDocument({ ...draft, parameters }).parameters[0]).toEqual(parameter("a", { group: false }));
  });
});

describe("merging", () => {
  const base = policy("a", "b", "c");

  it("takes each change from whoever made it", () => {
    const mine = { ...base, parameters: [parameter("a", { group: false }), parameter("b"), parameter("new"), parameter("c")] };
    const theirs = { ...base, masks: [{ point: "request > body" }], parameters: [parameter("a"), parameter("c", { type: "user" as const })] };
    const merged = merge(base, mine, theirs);
    expect(merged.both).toEqual([]);
    expect(names(merged.document)).toBe("anewc");
    expect(merged.document.parameters[0]?.group).toBe(false);
    expect(merged.document.parameters[2]?.type).toBe("user");
    expect(merged.document.masks).toEqual(theirs.masks);
  });

  it("keeps mine where both changed the same, and says so", () => {
    const mine = { ...base, analysed: { hosts: ["mine"] }, parameters: [parameter("a", { type: "user" }), ...base.parameters.slice(1)] };
    const theirs = { ...base, analysed: { hosts: ["theirs"] }, parameters: [parameter("a", { type: "role" }), ...base.parameters.slice(1)] };
    const merged = merge(base, mine, theirs);
    expect(merged.document.parameters[0]?.type).toBe("user");
    expect(merged.document.analysed).toEqual({ hosts: ["mine"] });
    expect(merged.both).toEqual(["parameter “a”", "analysed"]);
  });

  it("does not bring back what I deleted, and says so when they changed it", () => {
    const mine = policy("a", "c");
    expect(names(merge(base, mine, base).document)).toBe("ac");
    const theirs = { ...base, parameters: [parameter("a"), parameter("b", { type: "user" }), parameter("c")] };
    const merged = merge(base, mine, theirs);
    expect(names(merged.document)).toBe("ac");
    expect(merged.both).toEqual(["parameter “b”"]);
  });

  it("keeps the order of whoever moved, mine where both did", () => {
    expect(names(merge(base, policy("c", "a", "b"), policy("a", "b", "x", "c")).document)).toBe("cabx");
    expect(names(merge(base, policy("a", "b", "c", "m"), policy("c", "b", "a")).document)).toBe("cmba");
    const merged = merge(base, policy("c", "a", "b"), policy("b", "a", "c"));
    expect([names(merged.document), merged.both]).toEqual(["cab", ["the order of the parameters"]]);
    expect(merge(base, policy("c", "a", "b"), policy("c", "a", "b")).both).toEqual([]);
  });
});

it("puts the hub's complaints where they belong", () => {
  const problems = [
    { field: "parameters[1].point", reason: "step 3" },
    { field: "parameters[1].scope.hosts[2]", reason: "no host" },
    { field: "parameters[0]", reason: "odd" },
    { field: "parameters[0].__proto__", reason: "odd too" },
    { field: "masks[0].point", reason: "other list" },
    { field: "parameters", reason: "too many" },
    { field: "analysed.paths[0]", reason: "no path" },
  ];
  const rows = byRow(problems, "parameters");
  expect([...rows.keys()]).toEqual([1, 0]);
  expect(about(rows.get(1), "point")).toBe("step 3");
  expect(about(rows.get(1), "scope.hosts")).toBe("no host");
  expect(about(rows.get(1), "scope.paths")).toBeUndefined();
  expect(about(rows.get(2), "point")).toBeUndefined();
  expect(elsewhere(rows.get(1), ["point"])).toBe("no host");
  expect(elsewhere(rows.get(0), ["point"])).toBe("odd");
  expect(bySection(problems, "parameters").get("")).toBe("too many");
  expect(about(bySection(problems, "analysed"), "paths")).toBe("no path");
});
