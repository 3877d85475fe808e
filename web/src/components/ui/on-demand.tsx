/**
 * Menus and popovers whose code comes when the first one is opened. Until then their trigger is the plain element that it
 * looks like, and nothing else of them is drawn.
 */
import { Slot } from "radix-ui";
import { type ComponentProps, createContext, type ReactNode, use, useEffect, useState } from "react";

export interface OnDemand<Parts> {
  /** The parts, once they were fetched. */
  now: () => Parts | undefined;
  fetch: () => Promise<Parts>;
}

export function onDemand<Parts>(load: () => Promise<Parts>): OnDemand<Parts> {
  let parts: Parts | undefined;
  let fetching: Promise<Parts> | undefined;
  return {
    now: () => parts,
    fetch: () => {
      fetching ??= load().then(
        (loaded) => (parts = loaded),
        (error: unknown) => {
          fetching = undefined;
          throw error;
        },
      );
      return fetching;
    },
  };
}

interface Plain {
  /** Opens it, as soon as it can be. */
  open: () => void;
  prefetch: () => void;
}

const PlainContext = createContext<Plain | undefined>(undefined);

export interface RootState {
  /** Undefined: drawn by its parts. */
  plain: Plain | undefined;
  /** It was asked for while it was plain. */
  openedPlain: boolean;
}

/** Whether a root is plain still. `open` is what the caller says, if he does. */
export function useRoot(demand: OnDemand<unknown>, open: boolean | undefined, onOpenChange: ((open: boolean) => void) | undefined): RootState {
  const [ready, setReady] = useState(() => demand.now() !== undefined);
  const [asked, setAsked] = useState(false);
  const wanted = open === true || asked;
  useEffect(() => {
    if (!wanted || ready) return;
    let gone = false;
    const done = () => {
      if (!gone) setReady(true);
    };
    // Offline: the trigger stays, and can be tried again.
    demand.fetch().then(done, () => setAsked(false));
    return () => {
      gone = true;
    };
  }, [wanted, ready, demand]);
  const plain: Plain = {
    open: () => {
      setAsked(true);
      onOpenChange?.(true);
    },
    prefetch: () => void demand.fetch().catch(() => undefined),
  };
  return { plain: ready ? undefined : plain, openedPlain: asked };
}

export function PlainRoot({ plain, children }: { plain: Plain; children: ReactNode }) {
  return <PlainContext value={plain}>{children}</PlainContext>;
}

/** Around what the parts draw: nothing below it is plain. */
export function PartsRoot({ children }: { children: ReactNode }) {
  return <PlainContext value={undefined}>{children}</PlainContext>;
}

export function usePlain(): Plain | undefined {
  return use(PlainContext);
}

/** A trigger without its menu or popover. */
export function PlainTrigger({ plain, popup, asChild, ...props }: ComponentProps<"button"> & { plain: Plain; popup: "menu" | "dialog"; asChild?: boolean | undefined }) {
  const Element = asChild === true ? Slot.Root : "button";
  return (
    <Element
      {...(asChild !== true && { type: "button" })}
      {...props}
      aria-haspopup={popup}
      aria-expanded={false}
      data-state="closed"
      onPointerEnter={(event) => {
        props.onPointerEnter?.(event);
        plain.prefetch();
      }}
      onFocus={(event) => {
        props.onFocus?.(event);
        plain.prefetch();
      }}
      onClick={(event) => {
        props.onClick?.(event);
        plain.open();
      }}
      onKeyDown={(event) => {
        props.onKeyDown?.(event);
        if (popup !== "menu" || event.key !== "ArrowDown") return;
        event.preventDefault();
        plain.open();
      }}
    />
  );
}
