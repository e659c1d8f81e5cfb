import { describe, expect, it } from "vitest";
import { blank, type Draft, isChanged, move, replace, sortErrors, toInput } from "./draft";

const draft = (key: number, name: string): Draft => ({
  key,
  name,
  point: `request > query ${name}`,
  breadcrumb: [],
  kind: "none",
  group: true,
  hashed: false,
  namespace: "",
  with: [],
  scope: {},
});

const list = [draft(0, "a"), draft(1, "b"), draft(2, "c")];
const names = (drafts: readonly Draft[]): string => drafts.map((one) => one.name).join("");

describe("editing the list", () => {
  it("moves a row and stops at the ends", () => {
    expect(names(move(list, 1, -1))).toBe("bac");
    expect(names(move(list, 1, 1))).toBe("acb");
    expect(move(list, 0, -1)).toBe(list);
    expect(move(list, 2, 1)).toBe(list);
  });

  it("knows when something would be saved", () => {
    expect(isChanged(list, list)).toBe(false);
    expect(isChanged(replace(list, 1, { breadcrumb: ["REQUEST"] }), list)).toBe(false);
    expect(isChanged(replace(list, 1, { group: false }), list)).toBe(true);
    expect(isChanged(move(list, 0, 1), list)).toBe(true);
  });

  it("leaves hashing to the hub unless somebody chose", () => {
    const scoped = { ...draft(0, "a"), with: ["request > query b"], scope: { paths: ["/api"] } };
    expect(toInput([scoped])[0]).toMatchObject({ with: ["request > query b"], scope: { paths: ["/api"] } });
    expect(toInput([blank(list)])[0]).toMatchObject({ hashed: null, namespace: null });
  });

  it("gives a new row an identity of its own", () => {
    expect(blank(list).key).toBe(3);
    expect(blank([]).key).toBe(0);
  });
});

it("puts the hub's complaints where they belong", () => {
  const { rows, rest } = sortErrors([
    { field: "parameters[1].point", reason: "step 3" },
    { field: "parameters[1].name", reason: "taken" },
    { field: "parameters[0]", reason: "odd" },
    { field: "parameters[0].__proto__", reason: "odd too" },
    { field: "comment", reason: "long" },
  ]);
  expect(rows.get(1)).toEqual({ point: "step 3", name: "taken" });
  expect(rows.get(0)).toEqual({ row: "odd too" });
  expect(rest).toEqual([{ field: "comment", reason: "long" }]);
});
