import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { atTimes, refusal, Salon, slot, visit } from "./salon.js";

let salon: Salon;

beforeEach(() => {
  salon = new Salon();
});

const times = () =>
  screen.getAllByRole("button", { name: /^\d\d:\d\d/ }).map((button) => button.textContent);
const time = (name: string) => screen.getByRole("button", { name });
const day = (name: string | RegExp) => screen.getByRole("button", { name });
const spoken = (container: HTMLElement) =>
  container.querySelector("[aria-live=polite]")?.textContent;

test("the first day that has times is shown, in parts of the day", async () => {
  await atTimes(salon, [slot("11:30"), slot("14:00"), slot("17:30")]);
  const morning = await screen.findByRole("group", { name: "Morning" });
  expect(within(morning).getByRole("button", { name: "11:30" })).toBeTruthy();
  expect(screen.getByRole("heading", { name: "Tuesday, January 8" })).toBeTruthy();
  expect(
    within(screen.getByRole("group", { name: "Evening" })).getByRole("button").textContent,
  ).toBe("17:30");
});

test("a day says how many times are free, one without any says that and cannot be chosen", async () => {
  const { visitor } = await atTimes(salon, [
    slot("10:00"),
    slot("11:00"),
    slot("09:00", { day: "2030-01-10" }),
  ]);
  await screen.findByRole("button", { name: "10:00" });
  const free = day(/January 8, 2030.*, 2 free times/);
  expect(free.getAttribute("aria-disabled")).toBeNull();
  const full = day(/January 9, 2030, no free times/);
  expect(full.getAttribute("aria-disabled")).toBe("true");
  await visitor.click(full);
  expect(times()).toEqual(["10:00", "11:00"]);
  await visitor.click(day(/January 10, 2030, 1 free time$/));
  await waitFor(() => expect(times()).toEqual(["09:00"]));
});

test("the days are walked and chosen by keyboard", async () => {
  const { visitor } = await atTimes(salon, [
    slot("10:00"),
    slot("12:00", { day: "2030-01-15" }),
    slot("09:00", { day: "2030-01-31" }),
  ]);
  await screen.findByRole("button", { name: "10:00" });
  act(() => day(/January 8, 2030/).focus());
  const isAt = (name: string) =>
    waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toContain(name));
  await visitor.keyboard("{ArrowRight}");
  await isAt("January 9");
  await visitor.keyboard("{ArrowLeft}");
  await isAt("January 8");
  await visitor.keyboard("{ArrowDown}");
  await isAt("January 15");
  await visitor.keyboard("{Enter}");
  await waitFor(() => expect(times()).toEqual(["12:00"]));
  await visitor.keyboard("{End}");
  await isAt("January 31");
  await visitor.keyboard("{Home}");
  await isAt("January 7");
  await visitor.keyboard("{PageDown}");
  await isAt("February 7");
  await visitor.keyboard("{PageUp}");
  await isAt("January 7");
});

test("no month is shown that has nothing to offer by its horizon", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  await screen.findByRole("button", { name: "10:00" });
  expect(screen.getByRole("button", { name: "Previous month" }).getAttribute("aria-disabled")).toBe(
    "true",
  );
  const next = screen.getByRole("button", { name: "Next month" });
  await visitor.click(next);
  await visitor.click(next);
  expect(screen.getByRole("heading", { name: "March 2030" })).toBeTruthy();
  expect(next.getAttribute("aria-disabled")).toBe("true");
  expect(document.activeElement).toBe(next);
});

test("a month is asked for from its start to its end, for the service knows best what has passed", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  const asked = () => {
    const { startTime, endTime } = salon.streams.at(-1)?.request ?? {};
    return [startTime, endTime].map((each) => new Date(Number(each?.seconds) * 1000).toISOString());
  };
  expect(asked()).toEqual(["2029-12-31T23:00:00.000Z", "2030-01-31T23:00:00.000Z"]);
  await screen.findByRole("button", { name: "10:00" });
  await visitor.click(screen.getByRole("button", { name: "Next month" }));
  await waitFor(() =>
    expect(asked()).toEqual(["2030-01-31T23:00:00.000Z", "2030-02-28T23:00:00.000Z"]),
  );
});

test("a month that has nothing left at first gives way to the next one", async () => {
  await atTimes(salon, []);
  await screen.findByRole("heading", { name: "February 2030" });
  await waitFor(() => expect(salon.streams).toHaveLength(2));
  await salon.shows([]);
  await screen.findByText("No free times in February 2030.");
});

test("with anyone, a time that two people have is one time, and who it is with is left open", async () => {
  const { visitor } = await atTimes(salon, [
    slot("10:00"),
    slot("10:00", { calendar: "ben" }),
    slot("11:00"),
  ]);
  await screen.findByRole("button", { name: "10:00" });
  expect(times()).toEqual(["10:00", "11:00"]);
  await visitor.click(time("10:00"));
  await screen.findByRole("heading", { name: "Your details" });
  expect(salon.holds[0]?.slot?.calendar).toBe("");
});

test("a time that one of two people still has stays", async () => {
  const [anna, ben] = [slot("10:00"), slot("10:00", { calendar: "ben" })];
  await atTimes(salon, [anna, ben, slot("11:00")]);
  await screen.findByRole("button", { name: "11:00" });
  salon.changes({ closed: [anna, slot("11:00")] });
  await waitFor(() => expect(times()).toEqual(["10:00"]));
});

test("with one person, that one is held", async () => {
  const { visitor } = visit(salon, { calendar: "ben", appointmentType: "haircut" });
  await visitor.click(await screen.findByRole("button", { name: "Continue" }));
  await salon.shows([slot("10:00", { calendar: "ben" })]);
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  await screen.findByRole("heading", { name: "Your details" });
  expect(salon.holds[0]?.slot?.calendar).toBe("businesses/salon/calendars/ben");
});

test("a group says how many seats are left", async () => {
  visit(salon, { appointmentType: "class" });
  await screen.findByRole("heading", { name: "Choose a time" });
  await salon.shows([
    slot("10:00", { type: "class", calendar: "room", seats: 8 }),
    slot("11:00", { type: "class", calendar: "room", seats: 1 }),
  ]);
  await screen.findByRole("button", { name: /10:00\s*8 seats left/ });
  expect(times()).toEqual(["10:008 seats left", "11:001 seat left"]);
});

test("times come and go while one looks, and it is said", async () => {
  const { container } = await atTimes(salon, [slot("10:00"), slot("11:00")]);
  await screen.findByRole("button", { name: "10:00" });
  salon.changes({ closed: [slot("10:00")] });
  await waitFor(() => expect(times()).toEqual(["11:00"]));
  expect(spoken(container)).toBe("10:00 has just been taken.");
  salon.changes({ opened: [slot("10:30")] });
  await waitFor(() => expect(times()).toEqual(["10:30", "11:00"]));
  expect(spoken(container)).toBe("10:00 has just been taken.");
  await waitFor(() => expect(spoken(container)).toBe("10:30 has just become free."), {
    timeout: 4_000,
  });
});

test("what has gone keeps its place while one points at the times, so that none moves under the finger", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00"), slot("11:00")]);
  await visitor.hover(await screen.findByRole("button", { name: "11:00" }));
  salon.changes({ closed: [slot("10:00")] });
  await waitFor(() => expect(time("10:00").getAttribute("aria-disabled")).toBe("true"));
  salon.changes({ opened: [slot("12:00")] });
  await screen.findByRole("button", { name: "12:00" });
  expect(times()).toEqual(["10:00", "11:00", "12:00"]);
  await visitor.unhover(time("11:00"));
  await waitFor(() => expect(times()).toEqual(["11:00", "12:00"]));
});

test("of other days nothing is said", async () => {
  const other = slot("10:00", { day: "2030-01-09" });
  const { container } = await atTimes(salon, [slot("10:00"), other]);
  await screen.findByRole("button", { name: /January 9, 2030, 1 free time/ });
  salon.changes({ closed: [other] });
  await screen.findByRole("button", { name: /January 9, 2030, no free times/ });
  expect(spoken(container)).toBe("");
});

test("when the focused time goes, the focus goes to its neighbour", async () => {
  await atTimes(salon, [slot("10:00"), slot("10:30"), slot("11:00")]);
  await screen.findByRole("button", { name: "10:30" });
  act(() => time("10:30").focus());
  salon.changes({ closed: [slot("10:30")] });
  await waitFor(() => expect(document.activeElement?.textContent).toBe("11:00"));
  salon.changes({ closed: [slot("11:00")] });
  await waitFor(() => expect(document.activeElement?.textContent).toBe("10:00"));
  salon.changes({ closed: [slot("10:00")] });
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Tuesday, January 8"));
});

test("a day that runs empty stays, and the next free one is offered", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00"), slot("12:00", { day: "2030-01-11" })]);
  await screen.findByRole("button", { name: "10:00" });
  salon.changes({ closed: [slot("10:00")] });
  await screen.findByText("No free times left on this day.");
  await visitor.click(screen.getByRole("button", { name: /Next free day: Fri, Jan 11/ }));
  await waitFor(() => expect(times()).toEqual(["12:00"]));
  expect(document.activeElement?.className).toBe("slotcast-side");
});

test("a stale view says so, cannot be clicked, and heals by itself", async () => {
  const { visitor, container } = visit(salon);
  await visitor.click(await screen.findByRole("button", { name: "Continue" }));
  await salon.shows([slot("10:00")], { staleAfterMs: 600 });
  await screen.findByRole("button", { name: "10:00" });
  await screen.findByText(/Not up to date/);
  expect(time("10:00").getAttribute("aria-disabled")).toBe("true");
  expect(container.querySelector(".slotcast-columns")?.getAttribute("aria-disabled")).toBe("true");
  await visitor.click(time("10:00"));
  await visitor.click(day(/January 8, 2030/));
  await visitor.click(screen.getByRole("button", { name: "Next month" }));
  expect(salon.holds).toHaveLength(0);
  expect(screen.getByRole("heading", { name: "January 2030" })).toBeTruthy();
  await salon.shows([slot("10:00")]);
  await waitFor(() => expect(screen.queryByText(/Not up to date/)).toBeNull());
  await visitor.click(time("10:00"));
  await screen.findByRole("heading", { name: "Your details" });
});

test("a time that is lost says so, and offers what is free instead", async () => {
  const { visitor } = await atTimes(salon, [
    slot("10:00"),
    slot("10:30"),
    slot("10:30", { calendar: "ben" }),
  ]);
  const alternatives = [
    slot("10:30"),
    slot("10:30", { calendar: "ben" }),
    slot("12:00", { calendar: "ben" }),
    slot("15:00", { day: "2030-02-09" }),
  ];
  salon.holdProblem = refusal("SLOT_TAKEN", { alternatives });
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("10:00 has just been taken.");
  await waitFor(() => expect(document.activeElement).toBe(alert));
  // Each start once, for anyone will do; nothing can be clicked of which nothing is known yet.
  const buttons = () => within(alert).getAllByRole("button");
  const offered = () => buttons().map((button) => button.textContent);
  expect(offered()).toEqual(["10:30", "12:00", "Sat, Feb 9 15:00"]);
  salon.holdProblem = null;
  const holds = salon.holds.length;
  for (const button of buttons()) await visitor.click(button);
  expect(salon.holds).toHaveLength(holds);
  // Noon has gone meanwhile.
  await salon.shows(alternatives.filter((_, index) => index !== 2));
  await waitFor(() => expect(offered()).toEqual(["10:30", "Sat, Feb 9 15:00"]));
  await waitFor(() => expect(buttons()[0]?.getAttribute("aria-disabled")).toBe("false"));
  salon.changes({ closed: alternatives.slice(3) });
  await waitFor(() => expect(offered()).toEqual(["10:30"]));
  await visitor.click(within(alert).getByRole("button", { name: /10:30/ }));
  await screen.findByRole("heading", { name: "Your details" });
});

test("alternatives of which nothing is heard any more cannot be clicked", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00"), slot("10:30")]);
  salon.holdProblem = refusal("SLOT_TAKEN", { alternatives: [slot("10:30")] });
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  const alert = await screen.findByRole("alert");
  await waitFor(() => expect(salon.streams).toHaveLength(2));
  await salon.shows([slot("10:30")], { staleAfterMs: 200 });
  const button = () => within(alert).getByRole("button", { name: /10:30/ });
  await waitFor(() => expect(button().getAttribute("aria-disabled")).toBe("false"));
  await waitFor(() => expect(button().getAttribute("aria-disabled")).toBe("true"));
  salon.holdProblem = null;
  const holds = salon.holds.length;
  await visitor.click(button());
  expect(salon.holds).toHaveLength(holds);
});

test("what else goes wrong with a hold is told, and the times stay", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  salon.holdProblem = refusal("TOO_MANY_HOLDS");
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  expect((await screen.findByRole("alert")).textContent).toContain("You hold too many times");
  expect(time("10:00")).toBeTruthy();
});

test("going on moves the focus to the heading of the screen", async () => {
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  const isAt = (name: string) =>
    waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { name })));
  await isAt("Choose a time");
  await visitor.click(screen.getByRole("button", { name: "Back" }));
  await isAt("Book an appointment");
});

test("where the visitor's clock differs, the difference of that day is told", async () => {
  const { visitor, container } = await atTimes(salon, [slot("10:00")], {
    timeZone: "Europe/London",
  });
  await screen.findByRole("button", { name: "09:00" });
  const line = container.querySelector(".slotcast-zone-line")?.textContent;
  expect(line).toMatch(/Times are in Europe\/London \(GMT.*\). At Salon Anna it is 1 hour later./);
  await visitor.click(screen.getByRole("button", { name: "Change" }));
  await visitor.selectOptions(screen.getByRole("combobox", { name: "Time zone" }), "Europe/Berlin");
  await salon.shows([slot("10:00")]);
  await screen.findByRole("button", { name: "10:00" });
  expect(screen.queryByText(/At Salon Anna/)).toBeNull();
});

test("the clock has 12 or 24 hours, as the visitor likes", async () => {
  const { visitor } = await atTimes(salon, [slot("14:00")]);
  await screen.findByRole("button", { name: "14:00" });
  await visitor.click(screen.getByRole("button", { name: "Change" }));
  await visitor.click(screen.getByRole("button", { name: "12-hour clock" }));
  expect(screen.getByRole("button", { name: /^2:00\sPM$/ })).toBeTruthy();
});

test("going back from the form leads to the day that was looked at", async () => {
  const later = slot("09:00", { day: "2030-02-14" });
  const { visitor } = await atTimes(salon, [slot("10:00")]);
  await screen.findByRole("button", { name: "10:00" });
  await visitor.click(screen.getByRole("button", { name: "Next month" }));
  await waitFor(() => expect(salon.streams).toHaveLength(2));
  await salon.shows([slot("08:00", { day: "2030-02-01" }), later]);
  await visitor.click(
    await screen.findByRole("button", { name: /February 14, 2030, 1 free time/ }),
  );
  await visitor.click(await screen.findByRole("button", { name: "09:00" }));
  await screen.findByRole("heading", { name: "Your details" });
  await visitor.click(screen.getByRole("button", { name: "Back" }));
  await screen.findByRole("heading", { name: "Choose a time" });
  await waitFor(() => expect(salon.streams).toHaveLength(3));
  await salon.shows([slot("08:00", { day: "2030-02-01" }), later]);
  await screen.findByRole("heading", { name: "Thursday, February 14" });
  await waitFor(() => expect(times()).toEqual(["09:00"]));
});
