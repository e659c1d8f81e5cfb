// Setup › Traffic: which hosts and paths are which application, and what of the traffic is looked at.

import { AnalysedTraffic } from "./AnalysedTraffic";
import { Applications } from "./Applications";
import { Held } from "./Held";
import styles from "./Setup.module.css";
import { TrustedProxies } from "./TrustedProxies";

export function TrafficPage() {
  return (
    <>
      <header className={styles.head}>
        <div>
          <h1>Traffic</h1>
          <p className={styles.lead}>
            <Held />
          </p>
        </div>
      </header>
      <Applications />
      <AnalysedTraffic />
      <TrustedProxies />
    </>
  );
}
