import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { TooltipProvider } from "../components/ui/tooltip.tsx";
import { type Services, ServicesContext } from "../lib/services.ts";
import { AppErrorBoundary } from "./app-error-boundary.tsx";
import type { createAppRouter } from "./router.tsx";

export function App({ services, router }: { services: Services; router: ReturnType<typeof createAppRouter> }) {
  return (
    <AppErrorBoundary>
      <ServicesContext value={services}>
        <QueryClientProvider client={services.queryClient}>
          <TooltipProvider>
            <RouterProvider router={router} />
          </TooltipProvider>
        </QueryClientProvider>
      </ServicesContext>
    </AppErrorBoundary>
  );
}
