import { Outlet } from "@tanstack/react-router";
import { FloatingLayer } from "./floating-layer.tsx";
import { PageToaster } from "./page-toaster.tsx";

export function RootLayout() {
  return (
    <>
      <Outlet />
      <FloatingLayer />
      <PageToaster />
    </>
  );
}
