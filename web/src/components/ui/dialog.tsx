import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "../../lib/cx.ts";
import { IconButton } from "./button.tsx";
import { useReturnFocus } from "./return-focus.ts";

const widths = { sm: "max-w-sm", md: "max-w-lg", lg: "max-w-2xl" };
export const overlayClass = "animate-fade fixed inset-0 z-40 bg-overlay";
export const dialogClass =
  "animate-pop fixed left-1/2 z-40 flex max-h-[min(85dvh,48rem)] w-[calc(100vw-1.5rem)] -translate-x-1/2 flex-col rounded-lg border border-line-strong bg-raised shadow-pop outline-none " +
  "top-[max(0.75rem,10dvh)]";

/**
 * Without a field that asks for the focus, the dialog itself takes it: on its first button a tooltip would open at once and
 * swallow the first Esc.
 */
export function focusDialog(event: Event): void {
  event.preventDefault();
  if (event.target instanceof HTMLElement) event.target.focus();
}

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  width?: keyof typeof widths;
  /** The row of buttons below. */
  footer?: ReactNode;
  /** While work is under way it cannot be closed by Esc or a click outside. */
  locked?: boolean;
  children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, description, width = "md", footer, locked = false, children }: DialogProps) {
  const returnFocus = useReturnFocus(open);
  const keep = (event: Event) => {
    if (locked) event.preventDefault();
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlayClass} />
        <Radix.Content
          className={cx(dialogClass, widths[width])}
          onOpenAutoFocus={focusDialog}
          onCloseAutoFocus={returnFocus}
          onEscapeKeyDown={keep}
          onInteractOutside={keep}
          {...(description === undefined && { "aria-describedby": undefined })}
        >
          <header className="flex items-start gap-3 px-4 pt-3.5 pb-2">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {description !== undefined && <Radix.Description className="text-muted">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild disabled={locked}>
              <IconButton label="Close" size="sm" className="-mr-1">
                <X />
              </IconButton>
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-4 py-2">{children}</div>
          {footer !== undefined && <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-4 py-3">{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
