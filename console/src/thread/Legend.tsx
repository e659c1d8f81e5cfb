// How to read a thread: above the line went well, below it did not.

import { noExchanges } from "./geometry";
import styles from "./Thread.module.css";
import { ThreadMarks } from "./Thread";

const kinds = [
  ["2xx", { ok: 1 }],
  ["3xx", { redirect: 1 }],
  ["4xx", { client_error: 1 }],
  ["5xx", { server_error: 1 }],
  ["no answer", { no_response: 1 }],
] as const;

const box = { middle: 8.5, up: 11, down: 11, stroke: 2 };
const width = 12;

export function Legend() {
  return (
    <span className={styles.legend}>
      {kinds.map(([name, counts]) => (
        <span key={name}>
          <svg width={width} height={17} aria-hidden="true">
            <ThreadMarks
              marks={[{ index: 0, ...noExchanges, ...counts, x: width / 2, span: { from: 0, to: 0 } }]}
              line={[{ from: 4, to: width - 4 }]}
              breaks={[]}
              box={box}
            />
          </svg>
          {name}
        </span>
      ))}
    </span>
  );
}
