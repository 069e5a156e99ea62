import { beforeEach, expect, test } from "vitest";
import type { Desk, OwnBooking } from "../../pages/manage/desk.js";
import { createManaging, type Managing } from "../../pages/manage/managing.js";
import type { Slotcast } from "../../src/api/client.js";
import { CallFailed } from "../../src/api/problem.js";
import { aProblem, SLOT } from "../booking/desk.js";
import { BOOKING, CATALOG, ENTRY } from "./salon.js";

interface Call {
  readonly method: string;
  readonly about: unknown;
  readonly requestId: string;
  readonly answer: (value: unknown) => void;
  readonly refuse: (reason: string) => void;
}

let calls: Call[] = [];
let nowMs = 0;

function aDesk(kind: "booking" | "offer"): Desk {
  const asked = (method: string, about: unknown, requestId = "") =>
    new Promise<never>((resolve, reject) => {
      const answer = (value: unknown) => resolve(value as never);
      const refuse = (reason: string) => reject(new CallFailed(aProblem(reason)));
      calls.push({ method, about, requestId, answer, refuse });
    });
  return {
    link: { token: "", kind, business: "businesses/demo", name: BOOKING.name },
    slotcast: {
      clock: { now: () => nowMs },
      catalog: async () => CATALOG,
    } as unknown as Slotcast,
    booking: () => asked("booking", null),
    move: (_, to, requestId) => asked("move", to, requestId),
    cancel: (_, reason, requestId) => asked("cancel", reason, requestId),
    entry: () => asked("entry", null),
    take: (_, offer, requestId) => asked("take", offer, requestId),
    leave: (requestId) => asked("leave", null, requestId),
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** The newest call, which is of this method. */
function last(method: string): Call {
  const call = calls.at(-1);
  if (call?.method !== method) throw new Error(`The last call is ${call?.method}.`);
  return call;
}

async function opened(kind: "booking" | "offer", answer: unknown): Promise<Managing> {
  const managing = createManaging(aDesk(kind));
  managing.open();
  last(kind === "booking" ? "booking" : "entry").answer(answer);
  await settled();
  return managing;
}

async function refused(method: string, reason: string): Promise<void> {
  last(method).refuse(reason);
  await settled();
}

beforeEach(() => {
  calls = [];
  nowMs = SLOT.start.getTime() - 60_000;
});

async function choosing(slot = SLOT, isAnyone = false): Promise<Managing> {
  const managing = await opened("booking", BOOKING);
  managing.tell({ is: "wantsTimes" });
  managing.tell({ is: "chosen", slot, isAnyone });
  return managing;
}

test("a booking is moved once, however often one presses", async () => {
  const managing = await choosing();
  managing.move();
  managing.move();
  expect(calls.filter(({ method }) => method === "move")).toHaveLength(1);
  expect(last("move").about).toMatchObject({ calendar: SLOT.calendar, start: SLOT.start });

  const moved: OwnBooking = { ...BOOKING, version: 2n };
  last("move").answer(moved);
  await settled();
  expect(managing.view()).toMatchObject({ booking: moved, screen: { at: "look", isMoved: true } });
});

test("with whom it is, is left to the service where it does not matter", async () => {
  const managing = await choosing(SLOT, true);
  managing.move();
  expect(last("move").about).toMatchObject({ calendar: "" });
});

test("what was not answered is sent again with the same request id", async () => {
  const managing = await choosing();
  managing.move();
  const { requestId } = last("move");
  await refused("move", "UNREACHABLE");
  managing.move();
  expect(last("move").requestId).toBe(requestId);
  await refused("move", "OVERLOADED");
  // It may have been the first attempt that was done.
  expect(managing.view()).toMatchObject({ screen: { sending: "unknown" } });
});

test("what is wanted after a refusal is another request", async () => {
  const managing = await choosing();
  managing.move();
  const { requestId } = last("move");
  await refused("move", "SLOT_TAKEN");
  managing.tell({ is: "chosen", slot: SLOT, isAnyone: false });
  managing.move();
  expect(last("move").requestId).not.toBe(requestId);
});

test("after a change elsewhere the booking is read again", async () => {
  const managing = await opened("booking", BOOKING);
  managing.tell({ is: "wantsToCancel" });
  managing.cancel("ill");
  expect(last("cancel").about).toBe("ill");
  await refused("cancel", "VERSION_MISMATCH");
  last("booking").answer({ ...BOOKING, version: 2n });
  await settled();
  expect(managing.view()).toMatchObject({ booking: { version: 2n }, screen: { at: "look" } });
});

test("an offer is taken, and counts down by the service's clock", async () => {
  const managing = await opened("offer", ENTRY);
  expect(managing.msLeft()).toBe(60_000);
  nowMs += 90_000;
  expect(managing.msLeft()).toBe(0);

  // Late, it may be had all the same.
  managing.take();
  expect(last("take").about).toEqual(ENTRY.offer);
  last("take").answer(BOOKING);
  await settled();
  expect(managing.view()).toMatchObject({ is: "done", what: "taken" });
});

test("who is offered nothing can take nothing, and leaves", async () => {
  const managing = await opened("offer", { ...ENTRY, offer: null });
  expect(managing.msLeft()).toBe(0);
  const asked = calls.length;
  managing.take();
  expect(calls).toHaveLength(asked);

  managing.tell({ is: "wantsToDecline" });
  managing.leave();
  last("leave").answer(undefined);
  await settled();
  expect(managing.view()).toEqual({ is: "gone", status: "LEFT" });
});

test("an offer is declined", async () => {
  const managing = await opened("offer", ENTRY);
  managing.tell({ is: "wantsToDecline" });
  managing.leave();
  last("leave").answer(undefined);
  await settled();
  expect(managing.view()).toEqual({ is: "gone", status: "LEFT" });
});

test("what the network kept back at first is asked for again", async () => {
  const managing = createManaging(aDesk("booking"));
  managing.open();
  await refused("booking", "UNREACHABLE");
  expect(managing.view()).toMatchObject({ is: "failed" });
  managing.open();
  last("booking").answer(BOOKING);
  await settled();
  expect(managing.view()).toMatchObject({ is: "booking" });
});
