import { Link } from "@tanstack/react-router";
import { emptySearch } from "../filters/search";
import styles from "../shell/PageTabs.module.css";

const tabs = [
  ["/setup/parameters", "Parameters"],
  ["/setup/masks", "Masks"],
  ["/setup/traffic", "Traffic"],
  ["/setup/try-out", "Try out"],
  ["/setup/privacy", "Privacy"],
  ["/setup/versions", "Versions"],
] as const;

/** The pages of Setup. */
export function SetupTabs() {
  return (
    <nav className={styles.tabs} aria-label="Setup">
      {tabs.map(([to, label]) => (
        <Link key={to} to={to} search={emptySearch} className={styles.tab}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
