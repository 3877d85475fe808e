import type { Role } from "@nanotype/client";

/** What each role may do, in the words of every menu that offers one. */
export const roleOptions: readonly { value: Role; label: string; hint: string }[] = [
  { value: "owner", label: "Owner", hint: "Everything, also members and deleting the room" },
  { value: "editor", label: "Editor", hint: "Reads and changes rows and tables" },
  { value: "viewer", label: "Viewer", hint: "Reads everything, changes nothing" },
];
