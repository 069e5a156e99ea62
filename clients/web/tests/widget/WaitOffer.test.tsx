import { screen, waitFor } from "@testing-library/react";
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
  await visitor.click(screen.getByRole("button", { name: "Put me on the waitlist" }));
}

test("where a month has nothing free, one can wait for what frees in it", async () => {
  const visitor = await atForm();
  await send(visitor);
  await screen.findByText("You are on the waitlist. We will write to kim@example.com.", {
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

test("where something is free, it is not offered", async () => {
  await atTimes(salon, [slot("10:00")], { waitlist: true });
  await screen.findByRole("button", { name: "10:00" });
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
  await screen.findByText("You are on the waitlist too many times already.");
  salon.waitProblem = null;
  await visitor.click(screen.getByRole("button", { name: "Put me on the waitlist" }));
  await screen.findByText(/You are on the waitlist. We will write/, { selector: "p" });
  expect(new Set(salon.wishes.map(({ requestId }) => requestId)).size).toBe(1);
});
