import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { atTimes, refusal, Salon, slot } from "./salon.js";

const TELL_ME = "Tell me when something frees";
let salon: Salon;

beforeEach(() => {
  salon = new Salon();
});

/** February has nothing, and January is over. */
async function atNothing(props: { waitlist?: boolean } = {}) {
  const visiting = await atTimes(salon, [], { waitlist: true, ...props });
  await screen.findByRole("heading", { name: "February 2030" });
  await waitFor(() => expect(salon.streams).toHaveLength(2));
  await salon.shows([]);
  await screen.findByText("No free times in February 2030.");
  return visiting;
}

async function atForm() {
  const { visitor } = await atNothing();
  await visitor.click(screen.getByRole("button", { name: TELL_ME }));
  return visitor;
}

async function send(visitor: Awaited<ReturnType<typeof atForm>>, email = "kim@example.com") {
  await visitor.type(screen.getByLabelText("Name"), "Kim");
  if (email) await visitor.type(screen.getByLabelText("Email"), email);
  await visitor.click(screen.getByRole("button", { name: "Put me on the waiting list" }));
}

test("where a month has nothing free, one can wait for what frees in it", async () => {
  const visitor = await atForm();
  await send(visitor);
  await screen.findByText("You are on the waiting list. We will write to kim@example.com.", {
    selector: "p",
  });

  expect(salon.wishes).toHaveLength(1);
  const [{ appointmentType, calendars, windows, customer }] = salon.wishes as [
    (typeof salon.wishes)[number],
  ];
  expect(appointmentType).toBe("businesses/salon/appointmentTypes/haircut");
  expect(calendars).toEqual([]);
  const span = [windows[0]?.startTime, windows[0]?.endTime];
  expect(span.map((each) => new Date(Number(each?.seconds) * 1000).toISOString())).toEqual([
    "2030-01-31T23:00:00.000Z",
    "2030-02-28T23:00:00.000Z",
  ]);
  expect(customer).toMatchObject({
    displayName: "Kim",
    email: "kim@example.com",
    timeZone: "Europe/Berlin",
    language: "en-US",
  });
});

test("while the wish is sent, the button says what it does", async () => {
  let answer: () => void = () => undefined;
  salon.onWait = () => new Promise((resolve) => (answer = resolve));
  const visitor = await atForm();
  await send(visitor);
  const button = await screen.findByRole("button", { name: "Joining the waiting list …" });
  expect(button.getAttribute("aria-busy")).toBe("true");
  answer();
  await screen.findByText(/You are on the waiting list. We will write/, { selector: "p" });
});

const day = (name: string) => screen.getByRole("button", { name: new RegExp(`${name}, 2030`) });
const shownDay = (name: string) => screen.findByRole("heading", { name });

test("a day without free times says so, can be chosen, and one can wait for what frees on it", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  const full = day("January 9");
  expect(full.getAttribute("aria-label")).toBe("Wednesday, January 9, 2030, no free times");
  expect(full.getAttribute("aria-disabled")).toBeNull();
  await visitor.click(full);

  await shownDay("Wednesday, January 9");
  expect(full.getAttribute("aria-label")).toContain("selected, no free times");
  screen.getByText("No free times left on this day.");
  screen.getByRole("button", { name: /^Next free day: / });
  await visitor.click(screen.getByRole("button", { name: TELL_ME }));
  await send(visitor);
  await screen.findByText(/You are on the waiting list. We will write/, { selector: "p" });
  const [wish] = salon.wishes;
  const span = [wish?.windows[0]?.startTime, wish?.windows[0]?.endTime];
  expect(span.map((each) => new Date(Number(each?.seconds) * 1000).toISOString())).toEqual([
    "2030-01-08T23:00:00.000Z",
    "2030-01-09T23:00:00.000Z",
  ]);
});

test("a day to wait for is chosen by keyboard too", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  act(() => day("January 8").focus());
  await visitor.keyboard("{ArrowRight}");
  await waitFor(() => expect(document.activeElement).toBe(day("January 9")));
  await visitor.keyboard("{Enter}");
  await shownDay("Wednesday, January 9");
  screen.getByRole("button", { name: TELL_ME });
});

test("days that are too soon or too far for the appointment cannot be waited for", async () => {
  const days = (count: number) => durationFromMs(count * 86_400_000);
  salon.rules = { minimumNotice: days(2), horizon: days(7) };
  await atTimes(salon, [slot("10:00", { day: "2030-01-10" })], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  const canBeChosen = (name: string) => day(name).getAttribute("aria-disabled") !== "true";
  expect(["January 7", "January 8", "January 15"].filter(canBeChosen)).toEqual([]);
  const open = ["January 9", "January 10", "January 11", "January 14"];
  expect(open.filter(canBeChosen)).toEqual(open);
});

/** Weekdays from nine to five, but for Thursdays. */
const WEEK = [1, 2, 3, 5].map((weekday) => ({ weekday, start: "09:00", end: "17:00" }));

test("a closed day says so, and cannot be chosen; a full one can", async () => {
  salon.hours = { weekly: WEEK };
  const { visitor } = await atTimes(salon, [slot("10:00")], { waitlist: true });
  const closed = "Thursday, January 10, 2030, closed";
  await waitFor(() => expect(day("January 10").getAttribute("aria-label")).toBe(closed));
  expect(day("January 10").getAttribute("aria-disabled")).toBe("true");
  expect(day("January 9").getAttribute("aria-label")).toMatch(/, no free times$/);
  expect(day("January 9").getAttribute("aria-disabled")).toBeNull();
  await visitor.click(day("January 10"));
  await shownDay("Tuesday, January 8");
});

test("a day of which it comes out that it is closed says so instead of offering to wait", async () => {
  let answer: () => void = () => undefined;
  salon.hours = { weekly: WEEK };
  salon.onHours = () => new Promise((resolve) => (answer = resolve));
  const { visitor } = await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  await visitor.click(day("January 10"));
  await shownDay("Thursday, January 10");
  screen.getByRole("button", { name: TELL_ME });
  answer();
  await screen.findByText("Closed on this day.");
  expect(screen.queryByRole("button", { name: TELL_ME })).toBeNull();
  screen.getByRole("button", { name: /^Next free day: / });
});

test("a day with times is open, whatever the hours say; a time that goes leaves it closed", async () => {
  salon.hours = { weekly: WEEK };
  const late = slot("10:00", { day: "2030-01-10" });
  await atTimes(salon, [slot("10:00"), late], { waitlist: true });
  await waitFor(() => expect(day("January 12").getAttribute("aria-label")).toMatch(/, closed$/));
  expect(day("January 10").getAttribute("aria-label")).toMatch(/, 1 free time$/);
  salon.changes({ closed: [late] });
  await waitFor(() => expect(day("January 10").getAttribute("aria-label")).toMatch(/, closed$/));
});

test("in a month that is all closed one cannot wait", async () => {
  salon.hours = { weekly: [] };
  await atNothing();
  await waitFor(() => expect(day("February 5").getAttribute("aria-label")).toMatch(/, closed$/));
  expect(screen.queryByRole("button", { name: TELL_ME })).toBeNull();
});

test("a key that may not read the hours lets all days be chosen", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  await waitFor(() => expect(salon.hoursAsked).toBe(1));
  await visitor.click(day("January 10"));
  await shownDay("Thursday, January 10");
  screen.getByRole("button", { name: TELL_ME });
});

test("where one cannot wait, nobody asks for the hours", async () => {
  salon.hours = { weekly: WEEK };
  await atTimes(salon, [slot("10:00")]);
  await screen.findByRole("button", { name: "10:00" });
  expect(salon.hoursAsked).toBe(0);
  expect(day("January 10").getAttribute("aria-label")).not.toMatch(/closed/);
});

test("where something is free, it is not offered", async () => {
  await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
  expect(screen.queryByRole("button", { name: TELL_ME })).toBeNull();
});

test("a page that has not said so does not let a day without times be chosen", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  await screen.findByRole("button", { name: "10:00" });
  expect(day("January 9").getAttribute("aria-disabled")).toBe("true");
  await visitor.click(day("January 9"));
  await shownDay("Tuesday, January 8");
  expect(screen.queryByRole("button", { name: TELL_ME })).toBeNull();
});

test("a page that has not said so does not offer it", async () => {
  await atNothing({ waitlist: false });
  expect(screen.queryByRole("button", { name: TELL_ME })).toBeNull();
});

test("an address to write to is needed, and the focus goes where one is missing", async () => {
  const visitor = await atForm();
  await send(visitor, "");
  expect(screen.getByText("Please fill this in.")).toBeTruthy();
  expect(document.activeElement).toBe(screen.getByLabelText("Email"));
  await visitor.type(screen.getByLabelText("Email"), "kim at example");
  expect(screen.getByText(/Please enter an email address/)).toBeTruthy();
  expect(salon.wishes).toHaveLength(0);
});

test("who waits too often is told so, and waits once however often they press", async () => {
  salon.waitProblem = refusal("TOO_MANY_WAITING");
  const visitor = await atForm();
  await send(visitor);
  await screen.findByText("You are on the waiting list too many times already.");
  salon.waitProblem = null;
  await visitor.click(screen.getByRole("button", { name: "Put me on the waiting list" }));
  await screen.findByText(/You are on the waiting list. We will write/, { selector: "p" });
  expect(new Set(salon.wishes.map(({ requestId }) => requestId)).size).toBe(1);
});
