// Who the last requests were taken to come from, so that a wrong setting is seen at once.

import { useQuery } from "@tanstack/react-query";
import { resolvedClients } from "../api/policy";
import { me } from "../api/queries";
import type { ResolvedClient } from "../api/types";
import { Captured } from "../ui/Captured";
import { Moment } from "../ui/Moment";
import { ProblemNote } from "../ui/ProblemNote";
import styles from "./Setup.module.css";

const ways = new Map([
  ["connection", "the connection itself"],
  ["proxy_protocol", "PROXY protocol"],
  ["forwarded", "Forwarded"],
  ["x_forwarded_for", "X-Forwarded-For"],
  ["x_real_ip", "X-Real-IP"],
]);

const remarks = new Map([
  ["untrusted_header", "Sent a header that says who the client is, but is not trusted"],
  ["no_header", "Is trusted, but sent none of the headers that are looked at"],
  ["unreadable", "Sent a header with no address in it"],
]);

/** Requests shown; the hub keeps more. */
const shown = 8;

export function ResolvedClients() {
  const administrator = useQuery(me).data?.role === "admin";
  const { data, error, refetch } = useQuery({ ...resolvedClients, enabled: administrator });
  if (!administrator) {
    return null;
  }
  const clients = data?.clients ?? [];
  return (
    <div>
      <h3 className={styles.small}>What the last requests came to, by the version that holds</h3>
      {error === null ? null : <ProblemNote what="The last requests could not be loaded" error={error} onRetry={() => void refetch()} />}
      {data === undefined ? null : clients.length === 0 ? (
        <p className={styles.aside}>No request has come through a proxy of this hub since it started.</p>
      ) : (
        <>
          <Doubts clients={clients} />
          <div className={styles.scroll}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Connection from</th>
                  <th scope="col">Client</th>
                  <th scope="col">Told by</th>
                </tr>
              </thead>
              <tbody>
                {clients.slice(0, shown).map((client, position) => (
                  // The list is replaced as a whole, and two requests may be alike.
                  // oxlint-disable-next-line react/no-array-index-key -- see above
                  <tr key={position}>
                    <td>
                      <Moment at={client.at} as="clock" />
                    </td>
                    <td>
                      <Address text={client.peer_address} />
                    </td>
                    <td>
                      <Address text={client.client_address} />
                    </td>
                    <td>
                      {ways.get(client.how) ?? client.how}
                      {client.remark === "none" ? null : <span className={styles.worry}> · {remarks.get(client.remark) ?? client.remark}</span>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </div>
  );
}

function Address({ text }: { readonly text: string | null }) {
  return text === null ? <span className={styles.aside}>masked</span> : <Captured text={text} mono copy />;
}

/** What all these requests together say about the setting. */
function Doubts({ clients }: { readonly clients: readonly ResolvedClient[] }) {
  const untrusted = new Set(clients.filter(({ remark }) => remark === "untrusted_header").map(({ peer_address: peer }) => peer));
  const silent = new Set(clients.filter(({ remark }) => remark === "no_header").map(({ peer_address: peer }) => peer));
  if (untrusted.size === 0 && silent.size === 0) {
    return null;
  }
  return (
    <div className={styles.warning} role="status">
      {untrusted.size === 0 ? null : (
        <p>
          {[...untrusted].filter((peer) => peer !== null).slice(0, 3).join(", ")} {untrusted.size === 1 ? "says" : "say"} who the client is and{" "}
          {untrusted.size === 1 ? "is" : "are"} not believed. If that is a proxy of yours, name its network above.
        </p>
      )}
      {silent.size === 0 ? null : (
        <p>
          {[...silent].filter((peer) => peer !== null).slice(0, 3).join(", ")} {silent.size === 1 ? "is" : "are"} trusted and said nothing: all its
          clients count as one address.
        </p>
      )}
    </div>
  );
}
