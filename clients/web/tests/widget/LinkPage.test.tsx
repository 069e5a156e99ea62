import { act, render, screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Desk } from "../../pages/manage/desk.js";
import { createManaging } from "../../pages/manage/managing.js";
import { Page } from "../../pages/manage/Page.js";
import type { Slotcast } from "../../src/api/client.js";
import { SLOT } from "../booking/desk.js";
import { BOOKING, CATALOG } from "../manage/salon.js";
import { NOW } from "./now.js";

const START = new Date(NOW.getTime() + 86_400_000);
const LATER = { ...BOOKING, start: START, end: new Date(START.getTime() + 1_800_000) };
const desk = {
  link: { token: "", kind: "booking", business: "businesses/demo", name: BOOKING.name },
  slotcast: { clock: { now: () => NOW.getTime() }, catalog: async () => CATALOG } as Slotcast,
  booking: async () => LATER,
  move: async () => ({ ...LATER, version: 2n }),
  cancel: async () => ({ ...LATER, version: 3n }),
} as unknown as Desk;

let managing: ReturnType<typeof createManaging>;

beforeEach(() => {
  managing = createManaging(desk);
  managing.open();
});

const heading = (name: string) => screen.findByRole("heading", { level: 1, name });

test("that an appointment was moved is said, and not any more once it is cancelled", async () => {
  const { container } = render(<Page managing={managing} />);
  const spoken = () => container.querySelector("[aria-live=polite]")?.textContent;
  await heading("Your appointment");
  act(() => {
    managing.tell({ is: "wantsTimes" });
    managing.tell({ is: "chosen", slot: SLOT, isAnyone: false });
    managing.move();
  });
  await screen.findByText(/Your appointment was moved/, { selector: "[aria-live] *" });

  act(() => managing.tell({ is: "wantsToCancel" }));
  await heading("Cancel your appointment?");
  expect(spoken()).toBe("");
  act(() => managing.cancel(""));
  await heading("Your appointment is cancelled");
  expect(spoken()).toBe("");
});
