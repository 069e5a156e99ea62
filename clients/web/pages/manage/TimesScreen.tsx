import { useMemo, useState } from "react";
import type { Slot } from "../../src/api/model.js";
import type { ChoosingTime } from "../../src/booking/state.js";
import { People } from "../../src/widget/ChoiceScreen.js";
import { Deferred } from "../../src/widget/Deferred.js";
import { type Selection, selectionOf } from "../../src/widget/selection.js";
import type { LookedAt } from "../../src/widget/useMonth.js";
import { useSpeaking } from "../../src/words/provider.js";
import type { BookingProps } from "./BookingScreens.js";
import type { Screen, WithBooking } from "./flow.js";

/** The calendar is most of the script, and comes when it is wanted. */
export const timeScreen = () => import("../../src/widget/TimeScreen.js");

interface TimesProps extends BookingProps {
  readonly screen: Extract<Screen, { at: "times" }>;
  readonly lookedAt: LookedAt;
}

/** The times that are open now; with the same person, if nothing else is wished. */
export function TimesScreen({ managing, view, screen, lookedAt }: TimesProps) {
  const { catalog, booking } = view;
  const { formats } = useSpeaking();
  const [selection, setSelection] = useState(() => selectionFor(view));
  lookedAt.current ??= formats.dayKey(booking.start);
  const state = useMemo<ChoosingTime>(
    () => ({ step: "time", holding: null, lost: screen.lost, problem: null, refused: null }),
    [screen.lost],
  );
  if (!selection) return null;
  const choose = (slot: Slot, isAnyone: boolean) => managing.tell({ is: "chosen", slot, isAnyone });
  return (
    <Deferred from={timeScreen}>
      {({ TimeScreen }) => (
        <TimeScreen
          catalog={catalog}
          selection={selection}
          session={{ choose }}
          state={state}
          lookedAt={lookedAt}
          onBack={() => managing.tell({ is: "back" })}
          before={
            <People
              catalog={catalog}
              offer={{ types: [selection.type], calendar: "" }}
              selection={selection}
              onSelect={setSelection}
            />
          }
        />
      )}
    </Deferred>
  );
}

/** What would have led to the booking. */
function selectionFor({ catalog, booking }: WithBooking): Selection | null {
  const { appointmentType, calendars, start, end } = booking;
  const calendar = calendars[0] ?? "";
  return selectionOf({ key: "", appointmentType, calendar, start, end, seatsLeft: 0 }, catalog);
}
