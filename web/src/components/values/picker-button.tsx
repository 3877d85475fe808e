import { CalendarDays } from "lucide-react";
import { useRef } from "react";

export interface PickerButtonProps {
  type: "date" | "timestamp";
  /** Text of the field beside it. */
  text: string;
  onPick: (text: string) => void;
}

/** Opens the browser's own calendar. What it gives back is text like any typed. */
export function PickerButton({ type, text, onPick }: PickerButtonProps) {
  const native = useRef<HTMLInputElement>(null);
  const value = /^\d{4}-\d{2}-\d{2}/u.test(text) ? (type === "date" ? text.slice(0, 10) : text.replace(" ", "T").slice(0, 19)) : "";
  return (
    <span className="relative inline-flex self-center">
      <button
        type="button"
        tabIndex={-1}
        aria-label="Calendar"
        className="inline-flex size-6 items-center justify-center rounded-sm text-faint hover:bg-hover hover:text-ink"
        // The field keeps the focus: an editor would close.
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => native.current?.showPicker()}
      >
        <CalendarDays className="size-3.5" aria-hidden />
      </button>
      <input
        ref={native}
        type={type === "date" ? "date" : "datetime-local"}
        step={type === "date" ? undefined : 1}
        tabIndex={-1}
        aria-hidden
        className="pointer-events-none absolute right-0 bottom-0 size-px opacity-0"
        value={value}
        onChange={(event) => onPick(event.target.value.replace("T", " "))}
      />
    </span>
  );
}
