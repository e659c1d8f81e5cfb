// The frame of the System pages: their tabs and a title.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { me } from "../api/queries";
import { emptySearch } from "../filters/search";
import tabs from "../shell/PageTabs.module.css";
import styles from "./System.module.css";

export function SystemFrame({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const administrator = useQuery(me).data?.role === "admin";
  return (
    <div className={styles.page}>
      <nav className={tabs.tabs} aria-label="System">
        <Link to="/system/status" search={emptySearch} className={tabs.tab}>
          Status
        </Link>
        {administrator ? (
          <>
            <Link to="/system/people" search={emptySearch} className={tabs.tab}>
              People
            </Link>
            <Link to="/system/tokens" search={emptySearch} className={tabs.tab}>
              API tokens
            </Link>
            <Link to="/system/audit" search={emptySearch} className={tabs.tab}>
              Audit log
            </Link>
            <Link to="/system/purges" search={emptySearch} className={tabs.tab}>
              Purges
            </Link>
          </>
        ) : null}
        <Link to="/system/api" search={emptySearch} className={tabs.tab}>
          API reference
        </Link>
      </nav>
      <h1 className={styles.title}>{title}</h1>
      {children}
    </div>
  );
}
