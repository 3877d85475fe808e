import { useEffect, useState } from "react";

/** Milliseconds since 1970, renewed each second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const tick = () => setNow(Date.now());
    const soon = setTimeout(tick, 0);
    const timer = setInterval(tick, 1_000);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [running]);
  return now;
}
