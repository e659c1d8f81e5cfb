// Setup › Try out, on the policy as it holds.

import { Skeleton } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { ProblemNote } from "../../ui/ProblemNote";
import styles from "../Setup.module.css";
import { TryOut } from "./TryOut";

const policy = queryOptions({ queryKey: ["policy", "whole"], queryFn: () => body(api.GET("/api/v1/policy")) });

export function TryOutPage() {
  const { data, error, refetch } = useQuery({ ...policy, refetchOnMount: "always" });
  return (
    <div className={styles.page}>
      {data === undefined ? (
        error === null ? (
          <Skeleton height={220} aria-label="Loading the policy" />
        ) : (
          <ProblemNote what="The policy could not be loaded" error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <TryOut policy={data.policy} against={data.version} />
      )}
    </div>
  );
}
