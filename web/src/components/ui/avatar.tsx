import { cx } from "../../lib/cx.ts";

/** Hues far enough from each other to tell people apart; the same user has the same one everywhere. */
const hues = [210, 265, 320, 10, 35, 90, 150, 180];

/** A colour of one's own for a user, the same on every screen and for every viewer. */
export function userHue(user: string): number {
  let hash = 0;
  for (const char of user) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hues[hash % hues.length] ?? 210;
}

/** Background for white text in both themes, contrast 4.5 : 1 and above. */
export function userColor(user: string): string {
  return `hsl(${userHue(user)} 55% 34%)`;
}

export interface AvatarProps {
  user: string;
  name: string;
  size?: "sm" | "md";
  /** Nothing heard from for a while. */
  faded?: boolean;
  className?: string;
}

export function Avatar({ user, name, size = "md", faded = false, className }: AvatarProps) {
  return (
    <span
      role="img"
      aria-label={name}
      data-initials={initials(name)}
      className={cx(
        // Drawn, not written: the initials are no part of what a button around them is called.
        "before:content-[attr(data-initials)] inline-flex shrink-0 items-center justify-center rounded-full font-semibold text-on-accent select-none transition-opacity",
        size === "sm" ? "size-5 text-[10px]" : "size-6 text-[11px]",
        faded && "opacity-60",
        className,
      )}
      style={{ backgroundColor: userColor(user) }}
    />
  );
}

function initials(name: string): string {
  const words = name.trim().split(/[\s@._-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => String.fromCodePoint(word?.codePointAt(0) ?? 63).toUpperCase()).join("") || "?";
}
