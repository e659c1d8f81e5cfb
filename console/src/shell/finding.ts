// Whether the dialog that finds hashed values is open: the filter bar and the palette both open it. No part of the
// address, for a link must not ask anybody to type a value.

import { useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { me } from "../api/queries";

export const Finding = createContext<() => void>(() => undefined);

/** Opens the dialog; undefined for whom the hub would refuse. */
export function useFinding(): (() => void) | undefined {
  const open = useContext(Finding);
  const role = useQuery(me).data?.role;
  return role === "admin" || role === "analyst" ? open : undefined;
}
