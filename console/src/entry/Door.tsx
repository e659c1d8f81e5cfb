// The frame of the pages that stand before the sign-in.

import type { ReactNode } from "react";
import styles from "./entry.module.css";

export function Door({ title, lead, children }: { readonly title: string; readonly lead: ReactNode; readonly children: ReactNode }) {
  return (
    <main className={styles.door}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <img src="/thread.svg" width="32" height="32" alt="" />
          <span>Threadline</span>
        </div>
        <h1 className={styles.title}>{title}</h1>
        <p className={styles.lead}>{lead}</p>
        {children}
      </div>
      <svg className={styles.thread} viewBox="0 0 1200 90" preserveAspectRatio="none" aria-hidden="true">
        <path className={styles.line} d="M0 52H520M600 52H1200" />
        <path className={styles.ok} d={ticks([40, 66, 80, 130, 176, 190, 240, 318, 330, 392, 440, 466, 630, 655, 720, 733, 770, 840, 905, 930, 1000, 1044, 1090, 1150], -1)} />
        <path className={styles.wrong} d={ticks([204, 452, 783, 1018], 1)} />
      </svg>
    </main>
  );
}

function ticks(at: readonly number[], direction: 1 | -1): string {
  return at.map((x, position) => `M${x} 52v${direction * (14 + ((position * 7) % 5) * 5)}`).join("");
}
