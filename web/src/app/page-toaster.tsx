import { Toaster } from "sonner";
import { useTheme } from "../lib/theme.ts";

export function PageToaster() {
  return (
    <Toaster
      theme={useTheme()}
      position="bottom-right"
      closeButton
      visibleToasts={4}
      duration={5_000}
      toastOptions={{
        style: { background: "var(--raised)", color: "var(--ink)", borderColor: "var(--line-strong)", fontSize: 13, borderRadius: 6 },
        classNames: { description: "text-muted!", actionButton: "bg-accent! text-on-accent!" },
      }}
    />
  );
}
