// Recent exchanges are not kept: why, what keeping them means, and the switch.

import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { bytes } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import styles from "./Point.module.css";
import { keepRecent, recentExchanges, recentSettings } from "./questions";

/** How many are kept at most, in words. */
export function limitsOf(settings: { readonly exchanges: number; readonly bytes: number } | undefined): string {
  return settings === undefined ? "the last ones" : `the last ${settings.exchanges}, up to ${bytes(settings.bytes)}`;
}

/** `children`: what is missing because of that, a sentence. */
export function NotKept({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const settings = useQuery(recentSettings).data;
  const keep = useMutation({
    mutationFn: keepRecent,
    onSuccess: async (now) => {
      queries.setQueryData(recentSettings.queryKey, now);
      await queries.invalidateQueries({ queryKey: recentExchanges.queryKey });
    },
  });
  return (
    <div className={styles.off}>
      <h3>Recent exchanges are not kept</h3>
      <p>{children} While this is on:</p>
      <ul>
        <li>Nodes keep {limitsOf(settings)}, whole and in memory only. Nothing of them reaches a disk.</li>
        <li>They hold passwords and tokens as they were sent, but for what masks cover. Only administrators see them.</li>
        <li>Each look is in the audit log, as is this switch.</li>
        <li>Switching it off forgets them at once.</li>
      </ul>
      {keep.error === null ? null : <ProblemNote what="The switch was not turned" error={keep.error} />}
      <Button
        loading={keep.isPending}
        onClick={() => {
          keep.mutate(true);
        }}
      >
        Keep recent exchanges
      </Button>
    </div>
  );
}
