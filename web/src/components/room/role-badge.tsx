import type { Role } from "@nanotype/client";
import { Badge } from "../ui/badge.tsx";

const tones = { owner: "accent", editor: "success", viewer: "neutral" } as const;
const labels = { owner: "Owner", editor: "Editor", viewer: "Viewer" } as const;

export function RoleBadge({ role }: { role: Role }) {
  return <Badge tone={tones[role]}>{labels[role]}</Badge>;
}
