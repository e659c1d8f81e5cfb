// Copies the DuckDB library that `npm ci --ignore-scripts` unpacked into lib/, where .cargo/config.toml looks for it.
// It downloads nothing and is silent when the library is in place already.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const file = process.platform === "darwin" ? "libduckdb.dylib" : "libduckdb.so";
const source = join(here, "node_modules", "@duckdb", `node-bindings-${process.platform}-${process.arch}`, file);
const target = join(here, "lib", file);

if (!existsSync(source)) {
  console.error(
    `No locked DuckDB library for ${process.platform}-${process.arch}: build with \`--features bundled\`, ` +
      `or put ${file} of the version in native/README.md into native/lib yourself.`,
  );
  process.exit(1);
}

if (!existsSync(target) || !readFileSync(target).equals(readFileSync(source))) {
  mkdirSync(dirname(target), { recursive: true });
  // Renamed into place, so that a program running from the old library keeps its pages.
  copyFileSync(source, `${target}.new`);
  renameSync(`${target}.new`, target);
}
