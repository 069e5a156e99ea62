/** What a browser tells about whether anything can come. */

export interface Wake {
  /** The tab is looked at again, the machine woke up, or there is a network: the time to look. */
  woke(): void;
  /** There is no network. */
  offline(): void;
  /** Nobody looks at the tab. */
  hidden(): void;
}

/** Listens until the returned function is called. Outside of a browser it hears nothing. */
export function listenForWake(wake: Wake): () => void {
  if (typeof window === "undefined") return () => undefined;
  const listening = new AbortController();
  const { signal } = listening;
  const woke = () => wake.woke();
  window.addEventListener("online", woke, { signal });
  window.addEventListener("pageshow", woke, { signal });
  document.addEventListener("resume", woke, { signal });
  document.addEventListener(
    "visibilitychange",
    () => (document.visibilityState === "visible" ? wake.woke() : wake.hidden()),
    { signal },
  );
  window.addEventListener("offline", () => wake.offline(), { signal });
  return () => listening.abort();
}

export function isHidden(): boolean {
  return typeof document !== "undefined" && document.visibilityState === "hidden";
}
