// Analysis can be limited: the rest passes untouched and is not exported.

import { Radio, Stack } from "@mantine/core";
import { useState } from "react";
import { bySection } from "./complaints";
import { everywhere, isEverywhere } from "./draft";
import { ScopeFields } from "./ScopeFields";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export function AnalysedTraffic() {
  const { draft, readOnly, problems, change } = useSetup();
  const [some, setSome] = useState(false);
  const limited = some || !isEverywhere(draft.analysed);
  const complaints = bySection(problems, "analysed");
  return (
    <section className={styles.section} aria-label="Analysed traffic">
      <h2>Analysed traffic</h2>
      <Radio.Group
        aria-label="Analysed traffic"
        value={limited ? "some" : "all"}
        onChange={(value) => {
          setSome(value === "some");
          if (value === "all") {
            change({ analysed: everywhere });
          }
        }}
      >
        <Stack gap={6}>
          <Radio value="all" disabled={readOnly} label="All of it" description="Every exchange that passes is grouped and exported" />
          <Radio
            value="some"
            disabled={readOnly}
            label="Only some"
            description="The rest passes untouched: not looked at, not counted in sessions, not exported"
          />
        </Stack>
      </Radio.Group>
      {limited ? (
        <fieldset disabled={readOnly} className={styles.bare}>
          <ScopeFields
            scope={draft.analysed}
            complaints={complaints}
            prefix=""
            onChange={(analysed) => {
              change({ analysed });
            }}
          />
          {isEverywhere(draft.analysed) ? <p className={styles.aside}>Nothing is chosen yet, so all of it is analysed.</p> : null}
        </fieldset>
      ) : null}
    </section>
  );
}
