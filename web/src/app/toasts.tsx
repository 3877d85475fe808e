import { useEffect } from "react";
import { toast, Toaster } from "sonner";
import { useTheme } from "../lib/theme.ts";
import { type ToastMessage, toastQueue } from "../lib/toast.ts";

function present({ kind, text, detail, action }: ToastMessage): void {
  const show = kind === "done" ? toast.success : kind === "failed" ? toast.error : toast.message;
  show(text, {
    ...(kind === "failed" && { duration: Infinity }),
    ...(detail !== undefined && { description: detail }),
    ...(action && { action: { label: action.label, onClick: action.run } }),
  });
}

export function Toasts() {
  // The Toaster below listens by then: effects of children run first.
  useEffect(() => {
    const drain = () => toastQueue.take().forEach(present);
    drain();
    return toastQueue.subscribe(drain);
  }, []);
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
