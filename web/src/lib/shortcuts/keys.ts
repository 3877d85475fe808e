/**
 * Keys are written `mod+shift+k`; the strokes of a chord are separated by spaces, as in `g r`. `mod` is ⌘ on a Mac and Ctrl
 * elsewhere. A sign that needs Shift on some keyboards, as `?`, is written as the sign alone.
 */
const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/u.test(navigator.userAgent);

const shown: Record<string, string> = {
  mod: mac ? "⌘" : "Ctrl",
  shift: mac ? "⇧" : "Shift",
  alt: mac ? "⌥" : "Alt",
  enter: "↵",
  escape: "Esc",
  backspace: "⌫",
  delete: "Del",
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  space: "Space",
  tab: "Tab",
};

/** One text a stroke, as `Ctrl+K` or `⌘K`. */
export function symbols(keys: string): string[] {
  return keys.split(" ").map((stroke) => parts(stroke).map(cap).join(mac ? "" : "+"));
}

/** For screen readers: `Control K, then R`. */
export function spokenKeys(keys: string): string {
  return symbols(keys).join(" then ");
}

/** The stroke of a keyboard event in the written form, `""` for a modifier by itself. */
export function strokeOf(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey" | "shiftKey">): string {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  if (["control", "meta", "shift", "alt", "dead", "process", "unidentified"].includes(key)) return "";
  const sign = key.length === 1 && !/[a-z0-9]/u.test(key);
  const mod = mac ? event.metaKey : event.ctrlKey;
  return [mod && "mod", event.altKey && "alt", event.shiftKey && !sign && "shift", key].filter(Boolean).join("+");
}

function parts(stroke: string): string[] {
  return stroke === "+" ? ["+"] : stroke.split("+");
}

function cap(part: string): string {
  return shown[part] ?? (part.length === 1 ? part.toUpperCase() : part);
}
