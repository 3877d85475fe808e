import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { Skeleton } from "../../components/ui/skeleton.tsx";
import { tabClass, tabListClass } from "../../components/ui/tabs.tsx";
import type { RangeChoice } from "../../features/analytics/logic/ranges.ts";
import { GeneralTab } from "../../features/settings/general-tab.tsx";
import { MembersTab } from "../../features/settings/members-tab.tsx";
import { RetentionTab } from "../../features/settings/retention-tab.tsx";
import { SnapshotsTab } from "../../features/snapshots/snapshots-tab.tsx";
import { ExportMenu } from "../../features/transfer/export-menu.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";
import { settingsTabs, type SettingsTab } from "../navigation.ts";
import { NotFoundPage } from "../not-found.tsx";

const route = getRouteApi("/signed-in/rooms/$room/settings/$tab");

export function SettingsRoute() {
  const { tab } = route.useParams();
  const { name } = useCurrentRoom();
  const navigate = useNavigate();
  const known = settingsTabs.find(({ id }) => id === tab);
  useTitle(known?.label ?? "Not found", "Settings", name);
  if (!known) return <NotFoundPage />;
  const leave = () => void navigate({ to: "/rooms" });
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-6 px-4 py-6">
        <h1 className="text-xl font-semibold">Settings</h1>
        <SettingsNavigation />
        <Tab tab={known.id} onLeft={leave} />
      </div>
    </main>
  );
}

function SettingsNavigation() {
  const { id } = useCurrentRoom();
  return (
    <nav aria-label="Settings" className={tabListClass}>
      {settingsTabs.map((tab) => (
        <Link key={tab.id} to="/rooms/$room/settings/$tab" params={{ room: id, tab: tab.id }} className={tabClass}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}

const AnalyticsScreen = lazy(async () => ({ default: (await import("../../features/analytics/analytics-screen.tsx")).AnalyticsScreen }));

function AnalyticsTab() {
  const [choice, setChoice] = useState<RangeChoice>({ range: "30d" });
  return (
    <Suspense fallback={<Skeleton className="h-72" />}>
      <AnalyticsScreen choice={choice} onChoice={setChoice} />
    </Suspense>
  );
}

function Tab({ tab, onLeft }: { tab: SettingsTab; onLeft: () => void }) {
  switch (tab) {
    case "general":
      return <GeneralTab onDeleted={onLeft} />;
    case "members":
      return <MembersTab onLeft={onLeft} />;
    case "snapshots":
      return <SnapshotsTab exportMenu={<ExportMenu />} />;
    case "retention":
      return <RetentionTab />;
    case "analytics":
      return <AnalyticsTab />;
    default:
      return tab satisfies never;
  }
}
