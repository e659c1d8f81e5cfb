// What stays around every page: the rail and the command palette.

import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { asProblem } from "../api/problem";
import { me } from "../api/queries";
import { emptySearch } from "../filters/search";
import { FindValue } from "../sessions/FindValue";
import { Finding } from "./finding";
import { Palette } from "./Palette";
import { Rail } from "./Rail";
import styles from "./Shell.module.css";

export function Shell() {
  const { error } = useQuery(me);
  const navigate = useNavigate();
  const [finding, { open: find, close: found }] = useDisclosure(false);
  const signedOut = error !== null && asProblem(error).status === 401;
  useEffect(() => {
    if (signedOut) {
      const here = window.location.pathname + window.location.search;
      void navigate({ to: "/sign-in", search: { ...emptySearch, next: here } });
    }
  }, [signedOut, navigate]);
  return (
    <Finding value={find}>
      <div className={styles.shell}>
        <a className={styles.skip} href="#content">
          Skip to content
        </a>
        <Rail />
        <main id="content" className={styles.content} tabIndex={-1}>
          <Outlet />
        </main>
        <Palette />
        <FindValue opened={finding} onClose={found} />
      </div>
    </Finding>
  );
}
