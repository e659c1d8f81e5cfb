import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem";

/** Answers are kept while they are looked at. What the hub refuses is not asked again by itself. */
export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2000,
        refetchOnWindowFocus: false,
        retry: (count, error) => !(error instanceof ApiProblem && error.status >= 400 && error.status < 500) && count < 2,
      },
    },
    queryCache: new QueryCache({
      onError: (error, query) => {
        signedOut(client, error, query.queryKey[0] === "me");
      },
    }),
    mutationCache: new MutationCache({
      onError: (error) => {
        signedOut(client, error, false);
      },
    }),
  });
  return client;
}

/** A sign-in that ended while a page was open: asking who is signed in again makes the page say so. */
function signedOut(client: QueryClient, error: Error, asking: boolean): void {
  if (!asking && error instanceof ApiProblem && error.status === 401) {
    void client.invalidateQueries({ queryKey: ["me"] });
  }
}
