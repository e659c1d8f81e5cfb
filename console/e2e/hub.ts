// Starts the real binary and stops it again.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface RunningHub {
  readonly consoleUrl: string;
  readonly firstRunUrl: string;
  readonly proxyUrl: string;
  readonly stop: () => Promise<void>;
}

interface Announcement {
  readonly console_url: string;
  readonly first_run_url: string;
  readonly proxy_url: string;
}

const startsWithin = 60_000;

/** `threadline demo` on free ports with a data folder of its own. */
export async function startHub(extra: readonly string[] = []): Promise<RunningHub> {
  const binary = resolve(process.env.THREADLINE_BINARY ?? "../target/debug/threadline");
  if (!existsSync(binary)) {
    throw new Error(`${binary} does not exist: build it first, or name another one with THREADLINE_BINARY`);
  }
  const folder = mkdtempSync(join(tmpdir(), "threadline-console-"));
  const announced = join(folder, "announced.json");
  const log = createWriteStream(join(folder, "log"));
  const child = spawn(
    binary,
    ["demo", "--data", join(folder, "data"), "--console", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--announce", announced, ...extra],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const until = Date.now() + startsWithin;
  while (!existsSync(announced)) {
    if (child.exitCode !== null || Date.now() > until) {
      const said = readFileSync(join(folder, "log"), "utf8").slice(-4000);
      await ended(child);
      throw new Error(`the hub did not start:\n${said}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  const addresses = JSON.parse(readFileSync(announced, "utf8")) as Announcement;
  return {
    consoleUrl: addresses.console_url,
    firstRunUrl: addresses.first_run_url,
    proxyUrl: addresses.proxy_url,
    stop,
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) {
    return Promise.resolve();
  }
  return new Promise((done) => {
    child.once("exit", () => {
      done();
    });
    child.kill("SIGTERM");
  });
}
