// Prints the notices of everything that a release archive contains: Rust crates linked into the binary, npm packages in
// the console, the DuckDB library. Reads what is on this machine after a build; downloads nothing.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const run = (program, ...options) =>
  execFileSync(program, options, { cwd: root, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });

/** The texts of a package's licence and notice files. */
function notices(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(name));
  return names.sort().map((name) => {
    try {
      return readFileSync(join(folder, name), "utf8").trim();
    } catch (error) {
      if (error.code === "EISDIR") return ""; // a folder `LICENSES`
      throw error;
    }
  });
}

/** Crates that the binary is linked from, on this machine: normal dependencies of `threadline`. */
function crates() {
  const host = /^host: (.*)$/m.exec(run("rustc", "-vV"))[1];
  const metadata = JSON.parse(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host));
  const packages = new Map(metadata.packages.map((one) => [one.id, one]));
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const reached = new Set();
  const visit = (id) => {
    if (reached.has(id)) return;
    reached.add(id);
    const isNormal = (dependency) => dependency.dep_kinds.some((kind) => kind.kind === null);
    for (const dependency of nodes.get(id).deps.filter(isNormal)) visit(dependency.pkg);
  };
  visit(metadata.packages.find((one) => one.name === "threadline").id);
  const foreign = [...reached].map((id) => packages.get(id)).filter((one) => one.source !== null);
  return foreign.map((one) => ({
    name: `${one.name} ${one.version}`,
    licence: one.license ?? "see below",
    source: one.repository ?? `https://crates.io/crates/${one.name}`,
    notices: notices(dirname(one.manifest_path)),
  }));
}

/** Packages that the console is built from: those that are not for development only. */
function npmPackages(folder, isWanted) {
  const lock = JSON.parse(readFileSync(join(root, folder, "package-lock.json"), "utf8"));
  const wanted = Object.entries(lock.packages).filter(([path, one]) => path !== "" && isWanted(one));
  return wanted.flatMap(([path]) => {
    const here = join(root, folder, path);
    if (!existsSync(here)) return []; // optional, for another machine
    const one = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
    const repository = typeof one.repository === "string" ? one.repository : one.repository?.url;
    return [{
      name: `${one.name} ${one.version}`,
      licence: one.license ?? "see below",
      source: repository ?? `https://www.npmjs.com/package/${one.name}`,
      notices: notices(here),
    }];
  });
}

const all = [
  ...crates(),
  ...npmPackages("console", (one) => !one.dev && !one.devOptional),
  ...npmPackages("native", () => true),
];
all.sort((one, other) => one.name.localeCompare(other.name, "en"));

// Many packages carry the same text: it is printed once, with the names of all of them.
const byText = new Map();
for (const one of all) {
  for (const text of one.notices.filter((text) => text !== "")) {
    byText.set(text, [...(byText.get(text) ?? []), one.name]);
  }
}
const lines = ["Threadline contains the following software of others.", ""];
for (const one of all) lines.push(`${one.name}\n    licence: ${one.licence}\n    source:  ${one.source}`);
for (const [text, names] of byText) lines.push("", "=".repeat(100), names.join(", "), "-".repeat(100), text);
process.stdout.write(`${lines.join("\n")}\n`);
