// Ctrl K: reaches every page, and any session, user or address by typing it.

import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from "@mantine/spotlight";
import {
  IconActivityHeartbeat,
  IconAdjustmentsHorizontal,
  IconApi,
  IconEraser,
  IconEyeOff,
  IconFilter,
  IconHistory,
  IconKey,
  IconLock,
  IconSearch,
  IconShieldLock,
  IconTestPipe,
  IconTimeline,
  IconUsers,
  IconWorld,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { FieldName } from "../filters/fields";
import { type ConsoleSearch, emptyScope, emptySearch } from "../filters/search";
import { useFinding } from "./finding";
import styles from "./Palette.module.css";
import { visible } from "../ui/visible";

const sessionId = /^[0-9a-f]{32}$/iu;
const requestId = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/iu;
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*)(?:\/\d{1,3})?$/iu;

/** Where the palette leads. */
type Place =
  | "/sessions"
  | "/keys"
  | "/setup/parameters"
  | "/setup/masks"
  | "/setup/traffic"
  | "/setup/try-out"
  | "/setup/privacy"
  | "/setup/versions"
  | "/system/status"
  | "/system/people"
  | "/system/tokens"
  | "/system/audit"
  | "/system/purges"
  | "/system/api";

export function Palette() {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const find = useFinding();
  const go = (to: Place): (() => void) => {
    return () => {
      void navigate({ to, search: emptySearch });
    };
  };
  const list = (field: FieldName | "text", value: string): (() => void) => {
    const scope: ConsoleSearch["scope"] =
      field === "text"
        ? { ...emptyScope, text: value }
        : { ...emptyScope, tokens: [{ field, value, negated: false }], range: { kind: "last", last: "all" } };
    return () => {
      void navigate({ to: "/sessions", search: { ...emptySearch, scope } });
    };
  };
  const places: SpotlightActionData[] = [
    place("sessions", "Sessions", "who did what, newest first", IconTimeline, go("/sessions")),
    place("keys", "Keys", "what decides sessions, and how well", IconKey, go("/keys")),
    place("parameters", "Parameters", "what makes a session: setup", IconAdjustmentsHorizontal, go("/setup/parameters")),
    place("masks", "Masks", "what nobody may see: setup", IconEyeOff, go("/setup/masks")),
    place("traffic", "Applications and traffic", "what is looked at: setup", IconWorld, go("/setup/traffic")),
    place("try-out", "Try out", "what the draft of the policy would do: setup", IconTestPipe, go("/setup/try-out")),
    place("privacy", "Privacy", "what leaves nodes, and what did: setup", IconShieldLock, go("/setup/privacy")),
    place("versions", "Policy versions", "who changed what, and the way back: setup", IconHistory, go("/setup/versions")),
    place("status", "Status", "store, nodes, version", IconActivityHeartbeat, go("/system/status")),
    place("people", "People", "who may sign in", IconUsers, go("/system/people")),
    place("tokens", "API tokens", "for programs", IconKey, go("/system/tokens")),
    place("audit", "Audit log", "who changed what", IconHistory, go("/system/audit")),
    place("purges", "Purges", "what left the store for good", IconEraser, go("/system/purges")),
    place("reference", "API reference", "everything the console does", IconApi, go("/system/api")),
  ];
  if (find !== undefined) {
    places.push(place("find", "Find a hashed value…", "a user, a role, a parameter or a key, by its value in clear", IconLock, find));
  }
  const query = typed.trim();
  const shown = visible(query);
  const actions: SpotlightActionGroupData[] = [{ group: "Places", actions: matching(places, query) }];
  if (query !== "") {
    const found: SpotlightActionData[] = [];
    if (sessionId.test(query)) {
      const params = { sessionId: query.toLowerCase() };
      const scope = { ...emptyScope, range: { kind: "last", last: "all" } as const };
      found.push(
        place("open", `Open session ${shown.slice(0, 8)}…`, "by its ID", IconTimeline, () => {
          void navigate({ to: "/sessions/$sessionId", params, search: { ...emptySearch, scope } });
        }),
      );
    } else if (requestId.test(query)) {
      found.push(place("request", "Session of this request", shown, IconFilter, list("request", query)));
    } else if (address.test(query)) {
      found.push(place("ip", `Sessions from ${shown}`, "client address", IconFilter, list("ip", query)));
    } else {
      found.push(
        place("text", `Search sessions for “${shown}”`, "user, host, path, endpoint, user agent", IconSearch, list("text", query)),
        place("user", `Sessions of user ${shown}`, "exactly this user", IconFilter, list("user", query)),
        place("endpoint", `Sessions that called ${shown}`, "part of an endpoint", IconFilter, list("endpoint", query)),
      );
    }
    actions.push({ group: "Find", actions: found });
  }
  return (
    <Spotlight
      actions={actions}
      query={typed}
      onQueryChange={setTyped}
      filter={(_query, all) => all}
      shortcut={["mod + K"]}
      // From within a search field too; and at once, so that nothing typed right after is lost in a transition.
      tagsToIgnore={[]}
      transitionProps={{ duration: 0 }}
      nothingFound="Nothing matches"
      highlightQuery={false}
      overlayProps={{ blur: 1, backgroundOpacity: 0.35 }}
      classNames={{ action: styles.action ?? "", actionsGroup: styles.group ?? "" }}
      scrollable
      maxHeight={420}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "A page, a session ID, a user, an address, an endpoint …",
        "aria-label": "Go to",
      }}
    />
  );
}

function place(
  id: string,
  label: string,
  description: string,
  Icon: typeof IconSearch,
  onClick: () => void,
): SpotlightActionData {
  return { id, label, description, onClick, leftSection: <Icon size={20} stroke={1.5} aria-hidden /> };
}

function matching(places: readonly SpotlightActionData[], query: string): SpotlightActionData[] {
  const wanted = query.toLowerCase();
  return places.filter(({ label, description }) => `${label ?? ""} ${description ?? ""}`.toLowerCase().includes(wanted));
}
