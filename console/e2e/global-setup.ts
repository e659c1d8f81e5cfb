import { startHub } from "./hub.ts";

/** One hub for the whole run; its addresses reach the tests through the environment. */
export default async function start(): Promise<() => Promise<void>> {
  // Traffic that ends: lists stand still, and the machine is free for the browser.
  const hub = await startHub(["--seed", "7", "--pace", "20", "--requests", "1500"]);
  process.env.THREADLINE_CONSOLE = hub.consoleUrl;
  process.env.THREADLINE_FIRST_RUN = hub.firstRunUrl;
  process.env.THREADLINE_PROXY = hub.proxyUrl;
  return hub.stop;
}
