import { render, screen, within } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { SlotcastBooking } from "../../src/widget/SlotcastBooking.js";
import { refusal, Salon, visit } from "./salon.js";

let salon: Salon;

beforeEach(() => {
  salon = new Salon();
});

test("each appointment is offered with how long it takes", async () => {
  visit(salon);
  const group = await screen.findByRole("group", { name: "Appointment" });
  const options = within(group).getAllByRole("radio");
  expect(options.map((option) => option.closest("label")?.textContent)).toEqual([
    "Haircut30 minutes or 1 hour",
    "Colouring2 hours",
    "Styling class1 hour",
  ]);
});

test("a person is asked for only where there are several", async () => {
  const { visitor } = visit(salon);
  expect(
    within(await screen.findByRole("group", { name: "With" })).getAllByRole("radio"),
  ).toHaveLength(3);
  await visitor.click(screen.getByRole("radio", { name: /Colouring/ }));
  expect(screen.queryByRole("group", { name: "With" })).toBeNull();
  expect(screen.queryByRole("group", { name: "Duration" })).toBeNull();
});

test("what was chosen is what is asked for", async () => {
  const { visitor } = visit(salon);
  await visitor.click(await screen.findByRole("radio", { name: "1 hour" }));
  await visitor.click(screen.getByRole("radio", { name: "Ben" }));
  await visitor.click(screen.getByRole("button", { name: "Continue" }));
  await screen.findByRole("heading", { name: "Choose a time" });
  await vi.waitFor(() => expect(salon.streams).toHaveLength(1));
  const { request } = salon.streams[0] ?? {};
  expect(request?.appointmentTypes).toEqual(["businesses/salon/appointmentTypes/haircut"]);
  expect(request?.calendars).toEqual(["businesses/salon/calendars/ben"]);
  expect(request?.duration?.seconds).toBe(3600n);
});

test("where the page leaves one way only, the choice is skipped", async () => {
  visit(salon, { appointmentType: "colouring" });
  await screen.findByRole("heading", { name: "Choose a time" });
  expect(screen.queryByRole("button", { name: "Back" })).toBeNull();
});

test("where the page has chosen the person, the person is not asked for", async () => {
  visit(salon, { calendar: "anna" });
  await screen.findByRole("group", { name: "Appointment" });
  expect(screen.queryByRole("group", { name: "With" })).toBeNull();
  expect(screen.getAllByRole("radio", { name: /Haircut|Colouring/ })).toHaveLength(2);
});

test("where the page has chosen all of it, the times come first, for as long as it says", async () => {
  visit(salon, { appointmentType: "haircut", calendar: "ben", durationMinutes: 60 });
  await screen.findByRole("heading", { name: "Choose a time" });
  await vi.waitFor(() => expect(salon.streams).toHaveLength(1));
  expect(salon.streams[0]?.request.duration?.seconds).toBe(3600n);
});

test("a service that cannot be reached is said to be so, and asked again", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  salon.catalogProblem = refusal("KEY_INVALID");
  const { visitor } = visit(salon);
  expect((await screen.findByRole("alert")).textContent).toContain("does not accept this page");
  salon.catalogProblem = null;
  await visitor.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("heading", { name: "Book an appointment" });
});

test("what the page forgot is told by name", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
  visit(salon, { apiKey: "" });
  expect(screen.getByRole("alert").textContent).toContain("apiKey (attribute api-key)");
  expect(error).toHaveBeenCalled();
});

test("names are shown as text, whatever they look like", async () => {
  salon.businessName = "<img src=x onerror=alert(1)>";
  const { container } = visit(salon);
  await screen.findByText("<img src=x onerror=alert(1)>");
  expect(container.querySelector("img")).toBeNull();
});

test("the first screen leaves the focus where it was", async () => {
  visit(salon);
  await screen.findByRole("heading", { name: "Book an appointment" });
  expect(document.activeElement).toBe(document.body);
});

test("a ticket that the service does not take leads to the usual way, and says so", async () => {
  visit(salon, { ticket: "stale-ticket" });
  await screen.findByText(/Your link can no longer be used/);
  expect(screen.getByRole("button", { name: "Continue" })).toBeTruthy();
});

test("a ticket that is taken leads to what it holds", async () => {
  salon.redeemProblem = null;
  visit(salon, { ticket: "good-ticket", prefill: { name: "Ada" } });
  await screen.findByRole("heading", { name: "Your details" });
  expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("Ada");
});

test("in React's strict mode a ticket is used once, and what it holds is kept", async () => {
  salon.redeemProblem = null;
  const props = {
    url: "",
    apiKey: "key",
    business: "salon",
    language: "en",
    ticket: "good-ticket",
  };
  render(
    <StrictMode>
      <SlotcastBooking {...props} transport={salon.transport} />
    </StrictMode>,
  );
  await screen.findByRole("heading", { name: "Your details" });
  expect(salon.redemptions).toHaveLength(1);
  expect(salon.released).toEqual([]);
});
