import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { tabClass, tabListClass } from "../../components/ui/tabs.tsx";
import { GeneralTab } from "../../features/settings/general-tab.tsx";
import { MembersTab } from "../../features/settings/members-tab.tsx";
import { RetentionTab } from "../../features/settings/retention-tab.tsx";
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

function Tab({ tab, onLeft }: { tab: SettingsTab; onLeft: () => void }) {
  switch (tab) {
    case "general":
      return <GeneralTab onDeleted={onLeft} />;
    case "members":
      return <MembersTab onLeft={onLeft} />;
    case "retention":
      return <RetentionTab />;
    default:
      return tab satisfies never;
  }
}
