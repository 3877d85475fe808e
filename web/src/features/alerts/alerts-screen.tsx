import { BellPlus } from "lucide-react";
import { Badge } from "../../components/ui/badge.tsx";
import { Button } from "../../components/ui/button.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../../components/ui/tabs.tsx";
import type { AlertsAddress } from "../../lib/address.ts";
import { useUnread } from "../../lib/alert-inbox.ts";
import { useCommands } from "../../lib/commands.ts";
import { useShortcuts } from "../../lib/shortcuts/use-shortcuts.ts";
import { AlertDialog } from "./alert-dialog.tsx";
import { AlertList } from "./alert-list.tsx";
import { Inbox } from "./inbox.tsx";
import { useAlertList } from "./use-inbox.ts";

/** Address of the form of an alert that is being made; a topic begins with no sign. */
export const newTopic = "+new";

export function AlertsScreen({ address, onAddress }: { address: AlertsAddress; onAddress: (part: Partial<AlertsAddress>) => void }) {
  const unread = useUnread();
  const list = useAlertList();
  const { topic } = address;
  const make = () => onAddress({ topic: newTopic });
  useShortcuts([{ keys: "n", label: "New alert", group: "Alerts", run: make }]);
  useCommands([{ id: "new-alert", label: "New alert", group: "Actions", keys: "n", run: make }]);
  const edited = list.data?.find((alert) => alert.topic === topic);
  return (
    <>
      <header className="flex flex-wrap items-center gap-3">
        <div className="min-w-0 flex-1">
          <h1 className="text-xl font-semibold">Alerts</h1>
          <p className="text-muted">Hear of rows by what they mean, whoever writes them.</p>
        </div>
        <Button variant="primary" onClick={make}>
          <BellPlus aria-hidden />
          New alert
        </Button>
      </header>
      <Tabs value={address.tab ?? "inbox"} onValueChange={(tab) => onAddress({ tab: tab === "alerts" ? "alerts" : "inbox" })}>
        <TabsList aria-label="Alerts">
          <TabsTrigger value="inbox">
            Inbox {unread > 0 && <Badge tone="accent">{unread} unread</Badge>}
          </TabsTrigger>
          <TabsTrigger value="alerts">Your alerts {list.data && list.data.length > 0 && <Badge>{list.data.length}</Badge>}</TabsTrigger>
        </TabsList>
        <TabsContent value="inbox" className="pt-4">
          <Inbox onNew={make} />
        </TabsContent>
        <TabsContent value="alerts" className="pt-4">
          <AlertList onEdit={(next) => onAddress({ topic: next })} onNew={make} />
        </TabsContent>
      </Tabs>
      {(topic === newTopic || edited) && (
        <AlertDialog key={topic} alert={edited} taken={list.data?.map((alert) => alert.topic) ?? []} onClose={() => onAddress({ topic: "" })} />
      )}
    </>
  );
}
