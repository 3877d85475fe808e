import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { notify } from "../../lib/toast.ts";
import { IconButton } from "./button.tsx";

const shownMs = 1_500;

/** Copies a text and says so for a moment. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch (error) {
      notify.failed("The browser did not allow copying", error);
    }
  };
  return (
    <IconButton label={copied ? "Copied" : label} size="sm" onClick={() => void copy()}>
      {copied ? <Check className="text-success-ink" /> : <Copy />}
    </IconButton>
  );
}
