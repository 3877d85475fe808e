import { QueueScreen } from "../../features/queue/queue-screen.tsx";
import { useCurrentRoom } from "../../lib/room-context.ts";
import { useTitle } from "../../lib/title.ts";

export function QueueRoute() {
  const { name } = useCurrentRoom();
  useTitle("Queue", name);
  return (
    <main className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-4 px-4 py-6">
        <header>
          <h1 className="text-xl font-semibold">Queue and dead letters</h1>
          <p className="text-muted">Texts become findable by meaning through a queue. None is lost on the way: each ends indexed, or here.</p>
        </header>
        <QueueScreen />
      </div>
    </main>
  );
}
