import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { Button } from "../components/ui/button.tsx";
import { EmptyState } from "../components/ui/states.tsx";
import { useTitle } from "../lib/title.ts";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <main className="flex h-full items-center justify-center">
      <EmptyState
        icon={<Compass />}
        title="There is nothing at this address"
        actions={
          <Button variant="primary" asChild>
            <Link to="/rooms">Go to your rooms</Link>
          </Button>
        }
      >
        The link may be old, or the room was renamed or deleted.
      </EmptyState>
    </main>
  );
}
