// The places of the console. Only those that exist.

import { Menu, useMantineColorScheme } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import {
  IconActivityHeartbeat,
  IconAdjustmentsHorizontal,
  IconDeviceDesktop,
  IconKey,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconTimeline,
  IconUser,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { api } from "../api/client";
import { me } from "../api/queries";
import { emptySearch } from "../filters/search";
import styles from "./Shell.module.css";

export function Rail() {
  return (
    <nav className={styles.rail} aria-label="Places">
      <span className={styles.mark}>
        <img src="/thread.svg" width="28" height="28" alt="Threadline" />
      </span>
      <Link className={styles.place} to="/sessions" search={emptySearch} activeOptions={{ includeSearch: false }}>
        <IconTimeline size={20} stroke={1.6} aria-hidden />
        Sessions
      </Link>
      <Link className={styles.place} to="/keys" search={emptySearch} activeOptions={{ includeSearch: false }}>
        <IconKey size={20} stroke={1.6} aria-hidden />
        Keys
      </Link>
      <Link className={styles.place} to="/setup" search={emptySearch} activeOptions={{ includeSearch: false }}>
        <IconAdjustmentsHorizontal size={20} stroke={1.6} aria-hidden />
        Setup
      </Link>
      <SystemPlace />
      <div className={styles.foot}>
        <button type="button" className={styles.place} onClick={spotlight.open} title="Go to anything (Ctrl K)">
          <IconSearch size={20} stroke={1.6} aria-hidden />
          Go to
        </button>
        <PersonMenu />
      </div>
    </nav>
  );
}

function SystemPlace() {
  return (
    <Link className={styles.place} to="/system/status" search={emptySearch} activeOptions={{ includeSearch: false }}>
      <IconActivityHeartbeat size={20} stroke={1.6} aria-hidden />
      System
    </Link>
  );
}

function PersonMenu() {
  const person = useQuery(me).data;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const scheme = useMantineColorScheme();
  const signOut = async (): Promise<void> => {
    await api.POST("/api/v1/sign-out");
    queries.clear();
    await navigate({ to: "/sign-in", search: emptySearch });
  };
  return (
    <Menu position="right-end" withArrow>
      <Menu.Target>
        <button type="button" className={styles.place} aria-label={`You: ${person?.name ?? "signed in"}`}>
          <IconUser size={20} stroke={1.6} aria-hidden />
          You
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {person?.name} · {person?.role}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        {(
          [
            ["light", "Light", IconSun],
            ["dark", "Dark", IconMoon],
            ["auto", "As the system", IconDeviceDesktop],
          ] as const
        ).map(([value, label, Icon]) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={15} />}
            aria-current={scheme.colorScheme === value}
            fw={scheme.colorScheme === value ? 600 : 400}
            onClick={() => {
              scheme.setColorScheme(value);
            }}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={15} />}
          onClick={() => {
            void signOut();
          }}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
