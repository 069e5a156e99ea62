import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { LANGUAGES, loadWords } from "../../src/words/languages.js";
import { atDetails, atTimes, refusal, Salon, slot, visit } from "./salon.js";

let salon: Salon;

beforeEach(() => {
  salon = new Salon();
});

/** What axe finds without a layout; the browser's tests look at the rest. */
async function violations(container: Element) {
  const found = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
  );
}

test("axe finds nothing at the choice", async () => {
  const { container } = visit(salon);
  await screen.findByRole("heading", { name: "Book an appointment" });
  expect(await violations(container)).toEqual([]);
});

test("axe finds nothing at the times, with a lost one and the clock's settings", async () => {
  const { container, visitor } = await atTimes(salon, [slot("10:00"), slot("14:00")]);
  salon.holdProblem = refusal("SLOT_TAKEN", { alternatives: [slot("14:00")] });
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  await screen.findByRole("alert");
  await visitor.click(screen.getByRole("button", { name: "Change" }));
  expect(await violations(container)).toEqual([]);
});

test("axe finds nothing at the form, with its messages, and at the end", async () => {
  const { container, visitor } = await atDetails(salon);
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  await screen.findByText("Please fill this in.");
  expect(await violations(container)).toEqual([]);
  await visitor.type(screen.getByLabelText("Name"), "Ada");
  await visitor.click(screen.getByRole("button", { name: "Book" }));
  await screen.findByRole("heading", { name: "You are booked" });
  expect(await violations(container)).toEqual([]);
});

test.each(LANGUAGES)("the whole booking goes in %s", async (language) => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const words = await loadWords(language);
  const visitor = userEvent.setup();
  visit(salon, { language: `${language}-u-nu-latn`, prefill: { name: "Ada" } });
  await visitor.click(await screen.findByRole("button", { name: words.continue }));
  await salon.shows([slot("10:00")]);
  await visitor.click(await screen.findByRole("button", { name: /^0?10:00/ }));
  await screen.findByRole("heading", { name: words.yourDetails });
  await visitor.click(screen.getByRole("button", { name: words.confirm }));
  await screen.findByRole("heading", { name: words.booked });
});
