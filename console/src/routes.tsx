// Every address of the console. Routes hold the state; pages read it.

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { asProblem } from "./api/problem";
import { me } from "./api/queries";
import { type ConsoleSearch, emptySearch, parseSearch, stringifySearch } from "./filters/search";
import { Lost, Failed } from "./shell/Lost";
import { Shell } from "./shell/Shell";

export interface RouteContext {
  readonly queries: QueryClient;
}

const root = createRootRouteWithContext<RouteContext>()({
  validateSearch: (search: Record<string, unknown>): ConsoleSearch => ({ ...emptySearch, ...search }),
  component: Outlet,
  notFoundComponent: Lost,
  errorComponent: Failed,
});

const firstRun = createRoute({
  getParentRoute: () => root,
  path: "/first-run",
  component: lazyRouteComponent(() => import("./entry/FirstRun"), "FirstRun"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: lazyRouteComponent(() => import("./entry/SignIn"), "SignIn"),
});

/** Everything for which somebody must be signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    try {
      return { person: await context.queries.ensureQueryData(me) };
    } catch (error) {
      if (asProblem(error).status === 401) {
        throw redirect({ to: "/sign-in", search: { ...emptySearch, next: location.href } });
      }
      throw error;
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/sessions", search: emptySearch, replace: true });
  },
});

const sessions = createRoute({
  getParentRoute: () => inside,
  path: "/sessions",
  component: lazyRouteComponent(() => import("./sessions/SessionsPage"), "SessionsPage"),
});

const session = createRoute({
  getParentRoute: () => sessions,
  path: "$sessionId",
  component: lazyRouteComponent(() => import("./session/SessionPage"), "SessionPage"),
});

/** Its pages edit one draft of the policy, which lives as long as somebody is on any of them. */
const setup = createRoute({
  getParentRoute: () => inside,
  path: "/setup",
  component: lazyRouteComponent(() => import("./setup/SetupFrame"), "SetupFrame"),
});

const setupHome = createRoute({
  getParentRoute: () => setup,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/setup/parameters", search: emptySearch, replace: true });
  },
});

const parameters = createRoute({
  getParentRoute: () => setup,
  path: "/parameters",
  component: lazyRouteComponent(() => import("./setup/ParametersPage"), "ParametersPage"),
});

const masks = createRoute({
  getParentRoute: () => setup,
  path: "/masks",
  component: lazyRouteComponent(() => import("./setup/MasksPage"), "MasksPage"),
});

const traffic = createRoute({
  getParentRoute: () => setup,
  path: "/traffic",
  component: lazyRouteComponent(() => import("./setup/TrafficPage"), "TrafficPage"),
});

const tryOut = createRoute({
  getParentRoute: () => setup,
  path: "/try-out",
  component: lazyRouteComponent(() => import("./setup/tryout/TryOutPage"), "TryOutPage"),
});

const privacy = createRoute({
  getParentRoute: () => setup,
  path: "/privacy",
  component: lazyRouteComponent(() => import("./setup/privacy/PrivacyPage"), "PrivacyPage"),
});

const versions = createRoute({
  getParentRoute: () => setup,
  path: "/versions",
  component: lazyRouteComponent(() => import("./setup/VersionsPage"), "VersionsPage"),
});

const keys = createRoute({
  getParentRoute: () => inside,
  path: "/keys",
  component: lazyRouteComponent(() => import("./keys/KeysPage"), "KeysPage"),
});

const status = createRoute({
  getParentRoute: () => inside,
  path: "/system/status",
  component: lazyRouteComponent(() => import("./system/StatusPage"), "StatusPage"),
});

const people = createRoute({
  getParentRoute: () => inside,
  path: "/system/people",
  component: lazyRouteComponent(() => import("./system/PeoplePage"), "PeoplePage"),
});

const tokens = createRoute({
  getParentRoute: () => inside,
  path: "/system/tokens",
  component: lazyRouteComponent(() => import("./system/TokensPage"), "TokensPage"),
});

const auditLog = createRoute({
  getParentRoute: () => inside,
  path: "/system/audit",
  component: lazyRouteComponent(() => import("./system/AuditPage"), "AuditPage"),
});

const purges = createRoute({
  getParentRoute: () => inside,
  path: "/system/purges",
  component: lazyRouteComponent(() => import("./system/PurgesPage"), "PurgesPage"),
});

const reference = createRoute({
  getParentRoute: () => inside,
  path: "/system/api",
  component: lazyRouteComponent(() => import("./system/ReferencePage"), "ReferencePage"),
});

const tree = root.addChildren([
  firstRun,
  signIn,
  inside.addChildren([
    home,
    sessions.addChildren([session]),
    keys,
    setup.addChildren([setupHome, parameters, masks, traffic, tryOut, privacy, versions]),
    status,
    people,
    tokens,
    auditLog,
    purges,
    reference,
  ]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    parseSearch: (text) => ({ ...parseSearch(text) }),
    stringifySearch: (search) => stringifySearch({ ...emptySearch, ...search }),
    defaultPreload: "intent",
    scrollRestoration: false,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
