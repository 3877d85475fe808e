import type { ColumnType } from "@nanotype/client";
import { Braces, Calendar, CaseSensitive, Clock, Hash, List, Sigma, ToggleLeft, type LucideIcon } from "lucide-react";

const icons: Record<ColumnType, LucideIcon> = {
  text: CaseSensitive,
  integer: Hash,
  number: Sigma,
  boolean: ToggleLeft,
  timestamp: Clock,
  date: Calendar,
  json: Braces,
  enum: List,
};

export function TypeIcon({ type, className }: { type: ColumnType; className?: string }) {
  const Icon = icons[type];
  return <Icon className={className ?? "size-3.5 shrink-0 text-faint"} aria-label={type} />;
}
