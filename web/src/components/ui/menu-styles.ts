/** Looks shared by everything that pops up with a list in it. */
export const popClass = "animate-pop z-50 overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 text-sm text-ink shadow-pop";

export const itemClass =
  "relative flex h-8 w-full items-center gap-2 rounded-md px-2 text-left outline-none select-none " +
  "data-highlighted:bg-hover data-disabled:pointer-events-none data-disabled:text-faint [&_svg]:size-4 [&_svg]:shrink-0";

export const dangerItemClass = "text-danger-ink data-highlighted:bg-danger-soft";
export const separatorClass = "-mx-1 my-1 h-px bg-line";
export const menuLabelClass = "px-2 py-1 text-xs font-medium text-faint";
