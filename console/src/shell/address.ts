// Reading and changing the address bar from inside pages.

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { type ConsoleSearch, emptySearch } from "../filters/search";

const root = getRouteApi("__root__");

export function useAddress(): ConsoleSearch {
  return root.useSearch();
}

/** Changes parts of the search, staying on the page. Typing replaces the history's entry, choosing adds one. */
export function useSetAddress(): (change: Partial<ConsoleSearch>, options?: { readonly replace?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, options) => {
      void navigate({
        to: ".",
        search: (search): ConsoleSearch => ({ ...emptySearch, ...search, ...change }),
        replace: options?.replace ?? false,
      });
    },
    [navigate],
  );
}
