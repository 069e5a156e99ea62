import { type ReactNode, useEffect, useState } from "react";
import { unreachable } from "../api/problem.js";
import { Failure, Skeleton } from "./parts.js";

const loaded = new Map<unknown, unknown>();

/** Code that comes when it is needed. Unlike with `React.lazy`, what failed can be tried again. */
export function load<Module>(from: () => Promise<Module>): Promise<Module> {
  return from().then((module) => {
    loaded.set(from, module);
    return module;
  });
}

export interface DeferredProps<Module> {
  readonly from: () => Promise<Module>;
  readonly children: (module: Module) => ReactNode;
}

export function Deferred<Module>({ from, children }: DeferredProps<Module>) {
  const [failed, setFailed] = useState<unknown>(null);
  const [, setCount] = useState(0);
  const module = loaded.get(from) as Module | undefined;
  const isMissing = module === undefined;
  useEffect(() => {
    if (!isMissing || failed) return undefined;
    let wanted = true;
    load(from).then(
      () => wanted && setCount((count) => count + 1),
      (error) => wanted && setFailed(error),
    );
    return () => {
      wanted = false;
    };
  }, [from, isMissing, failed]);
  if (module !== undefined) return children(module);
  if (failed)
    return <Failure problem={unreachable(String(failed))} onRetry={() => setFailed(null)} />;
  return <Skeleton bars={4} />;
}

/** Fetches code while the browser has nothing else to do, so that it is there when it is needed. */
export function usePrefetch(from: () => Promise<unknown>): void {
  useEffect(() => {
    const fetchIt = () => void load(from).catch(() => undefined);
    if (typeof requestIdleCallback !== "function") {
      const timer = setTimeout(fetchIt, 300);
      return () => clearTimeout(timer);
    }
    const idle = requestIdleCallback(fetchIt, { timeout: 2_000 });
    return () => cancelIdleCallback(idle);
  }, [from]);
}
