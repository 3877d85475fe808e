import { HealthScreen } from "../../features/health/health-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

export function HealthRoute() {
  const { name } = useCurrentRoom();
  useTitle("Health", name);
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto max-w-4xl px-4 py-6">
        <HealthScreen />
      </div>
    </main>
  );
}
