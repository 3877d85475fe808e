import { spokenKeys, symbols } from "../../lib/shortcuts/keys.ts";

/** Keys as people know them from their own keyboard: `mod+k`, or a chord as `g r`. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex items-center gap-1" role="img" aria-label={spokenKeys(keys)}>
      {symbols(keys).map((stroke, i) => (
        <kbd
          // The strokes of one chord never change places.
          key={i}
          aria-hidden
          className="inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-sm border border-line-strong bg-subtle px-1 font-sans text-[11px] leading-none text-muted"
        >
          {stroke}
        </kbd>
      ))}
    </span>
  );
}
