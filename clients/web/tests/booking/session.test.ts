import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aSlot, DETAILS, Desk, HOLD_MS, SLOT } from "./desk.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, at the service as in the browser. */
async function pass(desk: Desk, ms: number): Promise<void> {
  desk.nowMs += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

describe("choosing a time", () => {
  test("holds it, once, however often it is clicked", async () => {
    const desk = new Desk();
    desk.session.choose(SLOT, false);
    desk.session.choose(SLOT, false);
    desk.session.choose(aSlot(10), false);
    expect(desk.of("hold")).toHaveLength(1);
    expect(desk.state("time").holding).toBe(SLOT);
    await desk.answer(desk.aHold());
    expect(desk.state("details").holding).toBe("held");
    expect(desk.session.msLeft()).toBe(HOLD_MS);
  });

  test("leaves the calendar to the service where anyone will do", () => {
    const desk = new Desk();
    desk.session.choose(SLOT, true);
    expect(desk.of("hold")[0]?.about).toMatchObject({ calendar: "", durationSeconds: 1800 });
  });

  test("that is taken says so and has the alternatives", async () => {
    const desk = new Desk();
    desk.session.choose(SLOT, false);
    await desk.refuse("SLOT_TAKEN", { alternatives: [aSlot(10)] });
    expect(desk.state("time")).toMatchObject({
      holding: null,
      lost: { slot: SLOT, reason: "SLOT_TAKEN", alternatives: [aSlot(10)] },
    });
  });

  test("again after no answer sends the same request, so that it is held once", async () => {
    const desk = new Desk();
    desk.session.choose(SLOT, false);
    await desk.refuse("UNREACHABLE");
    expect(desk.state("time").problem?.reason).toBe("UNREACHABLE");
    desk.session.choose(SLOT, false);
    const [first, second] = desk.of("hold");
    expect(second?.requestId).toBe(first?.requestId);
    await desk.answer(desk.aHold());
    desk.session.back();
    desk.session.choose(SLOT, false);
    expect(desk.of("hold")[2]?.requestId).not.toBe(first?.requestId);
  });

  test("and leaving before the answer frees what is held all the same", async () => {
    const desk = new Desk();
    desk.session.choose(SLOT, false);
    desk.session.leave();
    await desk.answer(desk.aHold());
    expect(desk.of("release")).toMatchObject([{ leaving: true }]);
    expect(desk.session.state().step).toBe("time");
  });
});

describe("a hold", () => {
  test("is renewed while one types, when half of it is over, and not before", async () => {
    const desk = new Desk();
    await desk.held();
    await pass(desk, HOLD_MS / 2 - 1);
    desk.session.typed();
    expect(desk.of("renew")).toHaveLength(0);
    await pass(desk, 2);
    desk.session.typed();
    desk.session.typed();
    expect(desk.of("renew")).toHaveLength(1);
    await desk.answer(desk.aHold());
    expect(desk.session.msLeft()).toBe(HOLD_MS);
  });

  test("that nobody renews expires, and can be held again", async () => {
    const desk = new Desk();
    await desk.held();
    await pass(desk, HOLD_MS + 100);
    expect(desk.state("details").holding).toBe("expired");
    desk.session.holdAgain();
    desk.session.holdAgain();
    expect(desk.state("details").holding).toBe("renewing");
    expect(desk.of("renew")).toHaveLength(1);
    await desk.answer(desk.aHold());
    expect(desk.state("details").holding).toBe("held");
  });

  test("that expired and was taken is lost, with alternatives", async () => {
    const desk = new Desk();
    await desk.held();
    await pass(desk, HOLD_MS + 100);
    desk.session.holdAgain();
    await desk.refuse("SLOT_TAKEN", { alternatives: [aSlot(11)] });
    expect(desk.state("time").lost?.alternatives).toEqual([aSlot(11)]);
  });

  test("that cannot be renewed any more still stands until it expires, and is then made anew", async () => {
    const desk = new Desk();
    desk.session.choose(SLOT, true);
    await desk.answer(desk.aHold());
    await pass(desk, HOLD_MS / 2 + 1);
    desk.session.typed();
    await desk.refuse("HOLD_LIFETIME_REACHED");
    expect(desk.state("details").holding).toBe("last");
    await pass(desk, HOLD_MS / 2 + 100);
    expect(desk.state("details").holding).toBe("expired");
    desk.session.holdAgain();
    await desk.refuse("HOLD_LIFETIME_REACHED");
    const [first, second] = desk.of("hold");
    expect(second?.about).toEqual(first?.about);
    await desk.answer(desk.aHold("holds/2"));
    expect(desk.state("details").hold.name).toBe("holds/2");
  });

  test("is freed on going back, and at once when the page goes", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.back();
    expect(desk.of("release")).toMatchObject([{ leaving: false }]);
    desk.session.choose(SLOT, false);
    desk.calls.at(-1)?.answer(desk.aHold("holds/2"));
    await vi.advanceTimersByTimeAsync(0);
    desk.session.leave();
    expect(desk.of("release")).toMatchObject([{}, { leaving: true, about: { name: "holds/2" } }]);
  });

  test("that was left is not taken up again by a renewal that is answered late", async () => {
    const desk = new Desk();
    await desk.held();
    await pass(desk, HOLD_MS / 2 + 1);
    desk.session.typed();
    desk.session.back();
    desk.session.choose(SLOT, false);
    desk.of("hold")[1]?.answer(desk.aHold("holds/2"));
    await vi.advanceTimersByTimeAsync(0);
    desk.of("renew")[0]?.answer(desk.aHold("holds/1"));
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.state("details").hold.name).toBe("holds/2");
    expect(desk.of("release").map((call) => call.about)).toMatchObject([
      { name: "holds/1" },
      { name: "holds/1" },
    ]);
  });
});

describe("sending the details", () => {
  test("books once, however often it is pressed", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    desk.session.submit(DETAILS);
    expect(desk.of("book")).toHaveLength(1);
    await desk.answer(desk.aBooking());
    expect(desk.state("done").booking.name).toBe("bookings/1");
    desk.session.submit(DETAILS);
    expect(desk.of("book")).toHaveLength(1);
  });

  test("without an answer says that it is not known, and sends just the same again", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    await desk.refuse("UNREACHABLE");
    expect(desk.state("details").sending).toBe("unknown");
    desk.session.back();
    expect(desk.session.state().step).toBe("details");
    desk.session.submit({ ...DETAILS, fields: { note: "another body" } });
    const [first, second] = desk.of("book");
    expect(second).toMatchObject({ requestId: first?.requestId, about: first?.about });
  });

  test("of which one attempt had no answer stays unknown, though the next is told to wait", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    await desk.refuse("UNREACHABLE");
    desk.session.submit(DETAILS);
    await desk.refuse("OVERLOADED");
    expect(desk.state("details").sending).toBe("unknown");
    desk.session.submit(DETAILS);
    const ids = desk.of("book").map((call) => call.requestId);
    expect(new Set(ids).size).toBe(1);
  });

  test("that the service refuses unread can be mended, and is another request", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    await desk.refuse("INVALID_REQUEST", { fields: [{ path: "customer.email", message: "no" }] });
    expect(desk.state("details")).toMatchObject({
      sending: "no",
      problem: { reason: "INVALID_REQUEST" },
    });
    desk.session.submit(DETAILS);
    const [first, second] = desk.of("book");
    expect(second?.requestId).not.toBe(first?.requestId);
  });

  test("after the hold has expired and the slot has gone offers the alternatives", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    await desk.refuse("SLOT_TAKEN", { alternatives: [aSlot(12)] });
    expect(desk.state("time").lost?.alternatives).toEqual([aSlot(12)]);
  });

  test("is not called expired while the answer is awaited", async () => {
    const desk = new Desk();
    await desk.held();
    await pass(desk, HOLD_MS - 10);
    desk.session.submit(DETAILS);
    await pass(desk, 1_000);
    expect(desk.state("details").holding).toBe("held");
    await desk.answer(desk.aBooking());
    expect(desk.session.state().step).toBe("done");
  });

  test("and leaving while it is awaited frees nothing that may be booked", async () => {
    const desk = new Desk();
    await desk.held();
    desk.session.submit(DETAILS);
    desk.session.leave();
    expect(desk.of("release")).toHaveLength(0);
  });
});

describe("a ticket from a chat", () => {
  test("brings the visitor to the form, with what was held", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    await desk.answer({ hold: desk.aHold(), fields: [] });
    expect(desk.state("details").hold.name).toBe("holds/1");
  });

  test("is awaited, once, and what it brought stays when another time is chosen", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    desk.session.redeem("ticket");
    expect(desk.of("redeem")).toHaveLength(1);
    expect(desk.state("ticket").problem).toBeNull();
    const fields = [{ name: "email", value: "ada@example.com", isInferred: true }];
    await desk.answer({ hold: desk.aHold(), fields });
    expect(desk.session.handoff()?.fields).toEqual(fields);
    desk.session.back();
    expect(desk.of("release")).toMatchObject([{ about: { name: "holds/1" } }]);
    expect(desk.session.handoff()?.fields).toEqual(fields);
  });

  test("keeps its hold when the visitor goes, for they may load the page anew", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    desk.session.leave();
    await desk.answer({ hold: desk.aHold(), fields: [] });
    desk.session.leave();
    expect(desk.of("release")).toHaveLength(0);
    expect(desk.state("details").hold.name).toBe("holds/1");
  });

  test("but another time that was chosen instead is freed then, as always", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    await desk.answer({ hold: desk.aHold(), fields: [] });
    desk.session.back();
    desk.session.choose(SLOT, false);
    desk.calls.at(-1)?.answer(desk.aHold("holds/2"));
    await vi.advanceTimersByTimeAsync(0);
    desk.session.leave();
    expect(desk.of("release").map(({ about }) => about)).toMatchObject([
      { name: "holds/1" },
      { name: "holds/2" },
    ]);
  });

  test("that nobody answers is asked for again with the same request", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    await desk.refuse("UNREACHABLE");
    expect(desk.state("ticket").problem?.reason).toBe("UNREACHABLE");
    desk.session.redeem("ticket");
    expect(desk.state("ticket").problem).toBeNull();
    const [first, second] = desk.of("redeem");
    expect(second?.requestId).toBe(first?.requestId);
    await desk.answer({ hold: desk.aHold(), fields: [] });
    expect(desk.session.state().step).toBe("details");
  });

  test("that is refused tells why until a time is chosen, and for which appointment it was", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    await desk.refuse("HANDOFF_USED", { metadata: { appointment_type: "types/haircut" } });
    expect(desk.state("time").refused?.reason).toBe("HANDOFF_USED");
    expect(desk.session.ticketType()).toBe("types/haircut");
    desk.session.choose(SLOT, false);
    expect(desk.state("time").refused).toBeNull();
  });

  test("that is refused leaves the visitor at the times", async () => {
    const desk = new Desk();
    desk.session.redeem("ticket");
    await desk.refuse("NOT_IMPLEMENTED");
    expect(desk.state("time").refused?.reason).toBe("NOT_IMPLEMENTED");
  });
});

test("who listens is told of each change, and of nothing else", async () => {
  const desk = new Desk();
  const listener = vi.fn();
  const stop = desk.session.subscribe(listener);
  desk.session.back();
  desk.session.typed();
  expect(listener).not.toHaveBeenCalled();
  await desk.held();
  expect(listener).toHaveBeenCalledTimes(2);
  stop();
  desk.session.back();
  expect(listener).toHaveBeenCalledTimes(2);
});
