import type { Plugin } from "vite";

export function fixtureHub(): Plugin {
  return { name: "threadline-fixture-hub" };
}
