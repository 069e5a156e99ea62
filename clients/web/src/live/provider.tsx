import { createContext, type ReactNode, useContext } from "react";
import type { Slotcast } from "../api/client.js";

const SlotcastContext = createContext<Slotcast | null>(null);

export interface SlotcastProviderProps {
  readonly slotcast: Slotcast;
  readonly children?: ReactNode;
}

/** Hands the connection to all below. Make it once, outside of any component. */
export function SlotcastProvider({ slotcast, children }: SlotcastProviderProps): ReactNode {
  return <SlotcastContext.Provider value={slotcast}>{children}</SlotcastContext.Provider>;
}

export function useSlotcast(): Slotcast {
  const slotcast = useContext(SlotcastContext);
  if (!slotcast)
    throw new Error("There is no <SlotcastProvider slotcast={createSlotcast(…)}> around this.");
  return slotcast;
}
