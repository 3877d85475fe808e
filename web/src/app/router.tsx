import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import type { Services } from "../lib/services.ts";
import { parseRange } from "../features/analytics/logic/ranges.ts";
import type { RoomsSearch } from "../features/rooms/rooms-page.tsx";
import { parseAlertsAddress, parseSearchAddress, parseSqlAddress } from "../lib/address.ts";
import { parseHistorySearch, parseImportSearch, parseTimeSearch } from "../lib/time-search.ts";
import { parseQuery, parseTableSearch, writeQuery } from "../lib/table-search.ts";
import { ScreenError } from "./screen-error.tsx";
import { NotFoundPage } from "./not-found.tsx";
import { PendingScreen } from "./pending-screen.tsx";
import { RootLayout } from "./root-layout.tsx";

const root = createRootRouteWithContext<Services>()({ component: RootLayout, notFoundComponent: NotFoundPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  validateSearch: ({ next }: Record<string, unknown>): { next?: string } =>
    // Only a path of this page: never a way to somewhere else.
    typeof next === "string" && /^\/(?![/\\])/u.test(next) ? { next } : {},
  beforeLoad: ({ context, search }) => {
    if (context.session.state.status === "in") redirect({ to: search.next ?? "/rooms", throw: true });
  },
  component: lazyRouteComponent(() => import("./routes/sign-in.tsx"), "SignInRoute"),
});

/** Everything below is for signed-in people; the address asked for is kept. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  component: lazyRouteComponent(() => import("./signed-in-layout.tsx"), "SignedInLayout"),
  beforeLoad: ({ context, location }) => {
    if (context.session.state.status === "out") {
      const next = location.href === "/" || location.href === "/rooms" ? {} : { next: location.href };
      redirect({ to: "/signin", search: next, throw: true });
    }
  },
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: () => redirect({ to: "/rooms", throw: true }),
});

const rooms = createRoute({
  getParentRoute: () => signedIn,
  path: "/rooms",
  validateSearch: ({ q, view, sort }: Record<string, unknown>): RoomsSearch => ({
    ...(typeof q === "string" && q !== "" && { q }),
    ...((view === "cards" || view === "list") && { view }),
    ...((sort === "opened" || sort === "name" || sort === "newest") && { sort }),
  }),
  component: lazyRouteComponent(() => import("./routes/rooms.tsx"), "RoomsRoute"),
});

const room = createRoute({
  getParentRoute: () => signedIn,
  path: "/rooms/$room",
  component: lazyRouteComponent(() => import("./routes/room.tsx"), "RoomRoute"),
});

const roomIndex = createRoute({
  getParentRoute: () => room,
  path: "/",
  component: lazyRouteComponent(() => import("./routes/room-index.tsx"), "RoomIndexRoute"),
});

const table = createRoute({
  getParentRoute: () => room,
  path: "tables/$table",
  validateSearch: parseTableSearch,
  component: lazyRouteComponent(() => import("./routes/table.tsx"), "TableRoute"),
});

const search = createRoute({
  getParentRoute: () => room,
  path: "search",
  validateSearch: parseSearchAddress,
  component: lazyRouteComponent(() => import("./routes/search.tsx"), "SearchRoute"),
});

const sql = createRoute({
  getParentRoute: () => room,
  path: "sql",
  validateSearch: parseSqlAddress,
  component: lazyRouteComponent(() => import("./routes/sql.tsx"), "SqlRoute"),
});

const alerts = createRoute({
  getParentRoute: () => room,
  path: "alerts",
  validateSearch: parseAlertsAddress,
  component: lazyRouteComponent(() => import("./routes/alerts.tsx"), "AlertsRoute"),
});

const queue = createRoute({
  getParentRoute: () => room,
  path: "queue",
  component: lazyRouteComponent(() => import("./routes/queue.tsx"), "QueueRoute"),
});

const history = createRoute({
  getParentRoute: () => room,
  path: "history",
  validateSearch: parseHistorySearch,
  component: lazyRouteComponent(() => import("./routes/history.tsx"), "HistoryRoute"),
});

const timeMachine = createRoute({
  getParentRoute: () => room,
  path: "time-machine",
  validateSearch: parseTimeSearch,
  component: lazyRouteComponent(() => import("./routes/time-machine.tsx"), "TimeMachineRoute"),
});

const importFile = createRoute({
  getParentRoute: () => room,
  path: "import",
  validateSearch: parseImportSearch,
  component: lazyRouteComponent(() => import("./routes/import.tsx"), "ImportRoute"),
});

const analytics = createRoute({
  getParentRoute: () => room,
  path: "analytics",
  validateSearch: parseRange,
  component: lazyRouteComponent(() => import("./routes/analytics.tsx"), "AnalyticsRoute"),
});

const health = createRoute({
  getParentRoute: () => room,
  path: "health",
  component: lazyRouteComponent(() => import("./routes/health.tsx"), "HealthRoute"),
});

const settings = createRoute({
  getParentRoute: () => room,
  path: "settings",
  beforeLoad: ({ params }) => redirect({ to: "/rooms/$room/settings/$tab", params: { ...params, tab: "general" }, throw: true }),
});

const settingsTab = createRoute({
  getParentRoute: () => room,
  path: "settings/$tab",
  component: lazyRouteComponent(() => import("./routes/settings.tsx"), "SettingsRoute"),
});

const tree = root.addChildren([
  signIn,
  signedIn.addChildren([home, rooms, room.addChildren([roomIndex, table, search, sql, alerts, queue, history, timeMachine, importFile, analytics, health, settings, settingsTab])]),
]);

export function createAppRouter(services: Services) {
  const router = createRouter({
    routeTree: tree,
    context: services,
    parseSearch: parseQuery,
    stringifySearch: writeQuery,
    defaultPreload: "intent",
    defaultErrorComponent: ScreenError,
    defaultNotFoundComponent: NotFoundPage,
    defaultPendingComponent: PendingScreen,
    defaultPendingMs: 150,
    defaultPendingMinMs: 0,
    scrollRestoration: true,
  });
  // Signed out here, in another tab, or by the server: every screen's guard is asked again.
  services.session.subscribe(() => void router.invalidate());
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
