// Whose word about the client counts: proxies and load balancers in front.

import { Checkbox, MultiSelect, TagsInput } from "@mantine/core";
import { about, bySection, elsewhere } from "./complaints";
import type { TrustedDraft } from "./draft";
import { ResolvedClients } from "./ResolvedClients";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

const addressHeaders = [
  { value: "x-forwarded-for", label: "X-Forwarded-For" },
  { value: "forwarded", label: "Forwarded" },
  { value: "x-real-ip", label: "X-Real-IP" },
];

const hostHeaders = [
  { value: "x-forwarded-host", label: "X-Forwarded-Host" },
  { value: "forwarded", label: "Forwarded" },
];

export function TrustedProxies() {
  const { draft, readOnly, problems, change } = useSetup();
  const { trusted } = draft;
  const complaints = bySection(problems, "trusted_proxies");
  const update = (part: Partial<TrustedDraft>): void => {
    change({ trusted: { ...trusted, ...part } });
  };
  const rest = elsewhere(complaints, ["networks", "address", "host", "proxy_protocol"]);
  return (
    <section className={styles.section} aria-label="Trusted proxies">
      <div>
        <h2>Trusted proxies</h2>
        <p className={styles.lead}>
          What a client says about itself is not believed. Name the networks of load balancers and proxies in front, and the
          client’s address is read from what they say: the right-most address that is not one of theirs.
        </p>
      </div>
      <fieldset disabled={readOnly} className={`${styles.bare} ${styles.scope}`}>
        <TagsInput
          label="Networks"
          description="Only machines that set these headers themselves: whoever is trusted can be any client"
          placeholder={trusted.networks.length === 0 ? "nobody, or 10.0.0.0/8, 192.0.2.7" : ""}
          splitChars={[",", ";", " "]}
          value={[...trusted.networks]}
          error={about(complaints, "networks")}
          onChange={(networks) => {
            update({ networks });
          }}
        />
        {trusted.networks.length === 0 ? null : (
          <>
            <MultiSelect
              label="Headers with the address, in this order"
              description="The first that is there decides"
              data={addressHeaders}
              value={[...trusted.address]}
              disabled={readOnly}
              error={about(complaints, "address")}
              onChange={(address) => {
                update({ address });
              }}
            />
            <MultiSelect
              label="Headers with the original host, in this order"
              description="For applications, scopes and lists; none: the Host header"
              placeholder={trusted.host.length === 0 ? "none" : ""}
              data={hostHeaders}
              value={[...trusted.host]}
              disabled={readOnly}
              error={about(complaints, "host")}
              onChange={(host) => {
                update({ host });
              }}
            />
            <Checkbox
              label="Connections may begin with the PROXY protocol"
              description="Version 1 or 2, from these networks only; HAProxy and cloud load balancers send it"
              checked={trusted.proxyProtocol}
              disabled={readOnly}
              error={about(complaints, "proxy_protocol")}
              onChange={(event) => {
                update({ proxyProtocol: event.currentTarget.checked });
              }}
            />
          </>
        )}
      </fieldset>
      {rest === undefined ? null : <p className={styles.error}>{rest}</p>}
      <ResolvedClients />
    </section>
  );
}
