import { useCallback, useEffect, useState } from "react";
import { callFailed, type Slotcast } from "../api/client.js";
import type { Catalog } from "../api/model.js";
import type { Problem } from "../api/problem.js";

export type CatalogView =
  | { readonly is: "loading" }
  | { readonly is: "there"; readonly catalog: Catalog }
  | { readonly is: "failed"; readonly problem: Problem; readonly retry: () => void };

export function useCatalog(slotcast: Slotcast): CatalogView {
  const [view, setView] = useState<CatalogView>({ is: "loading" });
  const [attempt, setAttempt] = useState(0);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks again.
  useEffect(() => {
    const asked = new AbortController();
    setView({ is: "loading" });
    slotcast.catalog(asked.signal).then(
      (catalog) => !asked.signal.aborted && setView({ is: "there", catalog }),
      (error) =>
        !asked.signal.aborted &&
        setView({ is: "failed", problem: callFailed(error).problem, retry }),
    );
    return () => asked.abort();
  }, [slotcast, attempt, retry]);
  return view;
}
