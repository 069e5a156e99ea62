import { Code } from "@connectrpc/connect";
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { NOW } from "./now.js";
import { atDetails, refusal, Salon, slot } from "./salon.js";

let salon: Salon;

beforeEach(() => {
  salon = new Salon();
});

const field = (name: string | RegExp) => screen.getByLabelText<HTMLInputElement>(name);
const isAt = (name: string) =>
  waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { name })));
const described = (input: HTMLElement) =>
  document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent;

test("what is held is summed up, and by whose clock", async () => {
  await atDetails(salon);
  const summary = document.querySelector("dl")?.textContent;
  expect(summary).toContain("Haircut");
  expect(summary).toContain("Tuesday, January 8");
  expect(summary).toMatch(/10:00\s–\s10:30/);
  expect(summary).toContain("Europe/Berlin");
  expect(summary).toContain("Anna");
});

test("the form comes with the focus on its heading", async () => {
  await atDetails(salon);
  await isAt("Your details");
});

test("a field is judged when it is left after it was written in", async () => {
  const { visitor } = await atDetails(salon);
  await visitor.click(field("Name"));
  await visitor.click(field(/Email/));
  expect(field("Name").getAttribute("aria-invalid")).toBe("false");
  await visitor.type(field(/Email/), "ada@");
  expect(field(/Email/).getAttribute("aria-invalid")).toBe("false");
  await visitor.tab();
  expect(field(/Email/).getAttribute("aria-invalid")).toBe("true");
  expect(described(field(/Email/))).toContain("Please enter an email address");
  await visitor.type(field(/Email/), "example.com");
  expect(field(/Email/).getAttribute("aria-invalid")).toBe("false");
});

test("sending judges all, and leads to the first field that is wrong", async () => {
  const { visitor } = await atDetails(salon);
  await visitor.type(field(/Phone/), "x");
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  expect(document.activeElement).toBe(field("Name"));
  expect(described(field("Name"))).toBe("Please fill this in.");
  expect(described(field(/Phone/))).toContain("Please enter a phone number");
  expect(salon.bookings).toHaveLength(0);
});

test("a double click books once, with all that was written", async () => {
  let answer = () => {};
  salon.onBook = () => new Promise<void>((resolve) => (answer = resolve));
  const onBooked = vi.fn();
  const { visitor } = await atDetails(salon, { fields: { conversation: "c-17" }, onBooked });
  await visitor.type(field("Name"), " Ada ");
  await visitor.type(field(/Note/), "No perfume");
  await visitor.dblClick(screen.getByRole("button", { name: "Book" }));
  const button = await screen.findByRole("button", { name: "Booking …" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await visitor.click(button);
  await act(async () => answer());
  await isAt("You are booked");
  expect(salon.bookings).toHaveLength(1);
  expect(salon.bookings[0]?.customer).toMatchObject({
    displayName: "Ada",
    timeZone: "Europe/Berlin",
    language: "en-US",
  });
  expect(salon.bookings[0]?.fields).toEqual({ conversation: "c-17", note: "No perfume" });
  expect(onBooked).toHaveBeenCalledTimes(1);
});

test("after an answer that was lost, the same is sent again", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  salon.onBook = () => {
    throw refusal("INTERNAL", { code: Code.Internal });
  };
  const { visitor } = await atDetails(salon, { prefill: { name: "Ada" } });
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  expect((await screen.findByRole("alert")).textContent).toContain("it is booked once only");
  expect(field("Name").readOnly).toBe(true);
  salon.onBook = () => undefined;
  await visitor.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("heading", { name: "You are booked" });
  expect(new Set(salon.bookings.map(({ requestId }) => requestId)).size).toBe(1);
});

test("what only the service finds wrong is told at the field", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  salon.onBook = () => {
    const fields = [
      { field: "customer.email", description: "value must be a valid email address" },
    ];
    throw refusal("INVALID_REQUEST", { code: Code.InvalidArgument, fields });
  };
  const { visitor } = await atDetails(salon, {
    prefill: { name: "Ada", email: "ada@example.com" },
  });
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  await waitFor(() => expect(described(field(/Email/))).toContain("Please enter an email address"));
  expect(screen.queryByRole("alert")).toBeNull();
  await visitor.type(field(/Email/), "x");
  expect(field(/Email/).getAttribute("aria-invalid")).toBe("false");
});

test("what the page filled in stands there until something else is written", async () => {
  const { visitor } = await atDetails(salon, { prefill: { name: "Ada", phone: "+44 20" } });
  expect(field("Name").value).toBe("Ada");
  await visitor.clear(field("Name"));
  expect(field("Name").value).toBe("");
  expect(field(/Phone/).value).toBe("+44 20");
});

test("the time that is left is seen each second", async () => {
  await atDetails(salon);
  expect(screen.getByRole("timer").textContent).toBe("Held for you for 5:00");
  vi.setSystemTime(new Date(NOW.getTime() + 28_000));
  await waitFor(() => expect(screen.getByRole("timer").textContent).toMatch(/4:3[123]/), {
    timeout: 3_000,
  });
});

test("a time that is no longer held can be held again", async () => {
  salon.holdMs = 400;
  const { visitor } = await atDetails(salon, { prefill: { name: "Ada" } });
  vi.setSystemTime(new Date(NOW.getTime() + 1_000));
  expect((await screen.findByRole("alert")).textContent).toContain("Your time is no longer held.");
  const book = screen.getByRole("button", { name: "Book" });
  expect(book.getAttribute("aria-disabled")).toBe("true");
  fireEvent.click(book);
  expect(salon.bookings).toHaveLength(0);
  salon.holdMs = 300_000;
  await visitor.click(screen.getByRole("button", { name: "Hold it again" }));
  await screen.findByRole("timer");
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole("region", { name: "Appointment" })),
  );
});

test("going back gives the time free, and keeps what was written", async () => {
  const onReleased = vi.fn();
  const { visitor } = await atDetails(salon, { onReleased });
  await visitor.type(field("Name"), "Ada");
  await visitor.click(screen.getByRole("button", { name: "Back" }));
  await waitFor(() => expect(salon.released).toEqual(["businesses/salon/holds/1"]));
  expect(onReleased).toHaveBeenCalledTimes(1);
  await salon.shows([slot("10:00")]);
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  await screen.findByRole("heading", { name: "Your details" });
  expect(field("Name").value).toBe("Ada");
});

test("leaving the page gives the time free", async () => {
  const { unmount } = await atDetails(salon);
  unmount();
  await waitFor(() => expect(salon.released).toEqual(["businesses/salon/holds/1"]));
});

test("a time that is lost on booking leads back to the times", async () => {
  salon.onBook = () => {
    throw refusal("SLOT_TAKEN", { alternatives: [slot("10:30")] });
  };
  const { visitor } = await atDetails(salon, { prefill: { name: "Ada" } });
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  expect((await screen.findByRole("alert")).textContent).toContain("10:00 has just been taken.");
});

test("after a booking another one can be made", async () => {
  const { visitor } = await atDetails(salon, { prefill: { name: "Ada" } });
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  await visitor.click(await screen.findByRole("button", { name: "Book another" }));
  await isAt("Book an appointment");
});
