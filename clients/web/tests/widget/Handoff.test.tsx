/** Who comes from a chat with a ticket. */
import { Code } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import type { userEvent } from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";
import { LANGUAGES, loadWords } from "../../src/words/languages.js";
import { refusal, Salon, slot, visit } from "./salon.js";

const TICKET = "slotcast_handoff_a-ticket-that-is-long-enough-to-have-an-end";

let salon: Salon;

beforeEach(() => {
  salon = new Salon();
  salon.redeemProblem = null;
});

const field = (name: string | RegExp) =>
  screen.getByLabelText<HTMLInputElement>(name, {
    selector: "textarea, input:not([type=checkbox])",
  });
const box = (name: string) =>
  screen.getByRole<HTMLInputElement>("checkbox", { name: `Yes, that is right (${name})` });
const book = () => screen.getByRole("button", { name: "Book" });
const descriptionOf = (input: HTMLElement) =>
  (input.getAttribute("aria-describedby") ?? "")
    .split(" ")
    .map((id) => document.getElementById(id)?.textContent ?? "")
    .join(" ");

/** The widget on a ticket, at the form. */
async function atForm(props: Parameters<typeof visit>[1] = {}) {
  const visiting = visit(salon, { ticket: TICKET, ...props });
  await screen.findByRole("heading", { name: "Your details" });
  return visiting;
}

async function press(visitor: ReturnType<typeof userEvent.setup>): Promise<void> {
  await visitor.click(book());
}

test("a ticket opens the form, with its time, its countdown, and what was said", async () => {
  salon.said = { display_name: "Ada", email: "ada@example.com", note: "No perfume" };
  const { visitor } = await atForm();
  expect(document.querySelector("dl")?.textContent).toMatch(/11:00\s–\s11:30/);
  expect(screen.getByRole("timer").textContent).toBe("Held for you for 5:00");
  expect([field("Name").value, field(/Email/).value, field(/Note/).value]).toEqual([
    "Ada",
    "ada@example.com",
    "No perfume",
  ]);
  expect(screen.queryByRole("checkbox")).toBeNull();
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.appointments[0]?.choice.value).toBe(salon.redeemedHold);
  expect(salon.bookings[0]?.fields).toEqual({ note: "No perfume" });
});

test("what was guessed is marked, and not sent before it is confirmed or changed", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { email: "ada@example.com", phone: "+44 20" };
  const { visitor } = await atForm();
  expect(field(/Email/).value).toBe("ada@example.com");
  expect(descriptionOf(field(/Email/))).toBe("Suggested from your conversation: please check.");
  await press(visitor);
  expect(salon.bookings).toHaveLength(0);
  expect(document.activeElement).toBe(box("Email"));
  expect(box("Email").getAttribute("aria-invalid")).toBe("true");
  expect(descriptionOf(box("Email"))).toBe("Please confirm this, or change it.");

  await visitor.keyboard(" ");
  expect(box("Email").checked).toBe(true);
  expect(box("Email").getAttribute("aria-invalid")).toBe("false");
  await press(visitor);
  expect(salon.bookings).toHaveLength(0);
  expect(document.activeElement).toBe(box("Phone"));

  await visitor.type(field(/Phone/), " 7946");
  expect(screen.queryByRole("checkbox", { name: /Phone/ })).toBeNull();
  expect(descriptionOf(field(/Phone/))).toBe("");
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.customer).toMatchObject({
    email: "ada@example.com",
    phone: "+44 20 7946",
  });
});

test("a confirmation can be taken back", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { email: "ada@example.com" };
  const { visitor } = await atForm();
  await visitor.click(box("Email"));
  await visitor.click(box("Email"));
  await press(visitor);
  expect(salon.bookings).toHaveLength(0);
});

test("what was guessed and is wrong by the form's rules leads to the field itself", async () => {
  salon.guessed = { display_name: "Ada", email: "ada at example" };
  const { visitor } = await atForm();
  await visitor.click(box("Name"));
  await visitor.click(box("Email"));
  await press(visitor);
  expect(document.activeElement).toBe(field(/Email/));
  expect(descriptionOf(field(/Email/))).toContain("Please enter an email address");
});

test("what the form has no field for is read only where it was said, and asked where it was guessed", async () => {
  salon.said = { display_name: "Ada", insurance: "none" };
  salon.guessed = { first_visit: "yes", allergies: "peroxide\nlatex" };
  const { visitor } = await atForm();
  const known = screen.getByRole("region", { name: "Also known from your conversation" });
  expect(known.textContent).toContain("insurance");
  expect(known.textContent).toContain("none");
  await press(visitor);
  expect(document.activeElement).toBe(box("first visit"));
  await visitor.click(box("first visit"));
  await visitor.clear(field(/allergies/));
  await visitor.type(field(/allergies/), "latex");
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.fields).toEqual({
    insurance: "none",
    first_visit: "yes",
    allergies: "latex",
  });
});

test("a guess that is emptied is not sent", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { first_visit: "yes" };
  const { visitor } = await atForm();
  await visitor.clear(field(/first visit/));
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.fields).toEqual({});
});

test("the time is shown by the clock that the visitor has named, and they are written to in their language", async () => {
  salon.said = { display_name: "Ada", time_zone: "Asia/Tokyo", language: "ja" };
  const { visitor } = await atForm({ timeZone: undefined });
  const summary = () => document.querySelector("dl")?.textContent;
  await waitFor(() => expect(summary()).toMatch(/19:00\s–\s19:30/));
  expect(screen.getByText("Japanese")).toBeTruthy();
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.customer).toMatchObject({ timeZone: "Asia/Tokyo", language: "ja" });
});

test("a guessed clock and language are used once they are confirmed, and need not be", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { time_zone: "Asia/Tokyo", language: "ja" };
  const { visitor } = await atForm();
  const summary = () => document.querySelector("dl")?.textContent;
  expect(summary()).toMatch(/11:00\s–\s11:30/);
  await visitor.click(box("Time zone, Asia/Tokyo"));
  expect(summary()).toMatch(/19:00\s–\s19:30/);
  await visitor.click(box("Time zone, Asia/Tokyo"));
  expect(summary()).toMatch(/11:00\s–\s11:30/);
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(salon.bookings[0]?.customer).toMatchObject({
    timeZone: "Europe/Berlin",
    language: "en-US",
  });
});

test("the form speaks the language that the visitor has said they speak, from its first sight on", async () => {
  // By now the code of the form is there, and waits for nobody.
  (await atForm()).unmount();
  salon.said = { display_name: "Ada", language: "de" };
  visit(salon, { ticket: `${TICKET}-2`, language: undefined });
  const seen = new Set<string>();
  const look = new MutationObserver(() => {
    for (const { textContent } of screen.queryAllByRole("heading")) seen.add(textContent ?? "");
  });
  look.observe(document.body, { childList: true, subtree: true, characterData: true });
  await screen.findByRole("heading", { name: "Ihre Angaben" });
  look.disconnect();
  expect([...seen]).toEqual(["Ihre Angaben"]);
  expect(document.querySelector(".slotcast")?.getAttribute("lang")).toBe("de");
  expect(field("Name").value).toBe("Ada");
  expect(salon.redemptions).toHaveLength(2);
});

test.each(["tlh", "no language at all"])(
  "a language that the widget does not speak (%s) leaves it at the browser's",
  async (language) => {
    salon.said = { display_name: "Ada", language };
    await atForm({ language: undefined });
  },
);

test("where the page names a language, that is spoken", async () => {
  salon.said = { display_name: "Ada", language: "de" };
  const first = await atForm({ language: "en" });
  first.unmount();
  document.documentElement.lang = "es";
  visit(salon, { ticket: TICKET, language: undefined });
  await screen.findByRole("heading", { name: "Sus datos" });
  document.documentElement.removeAttribute("lang");
});

test("a guessed language is spoken while it is confirmed, with the form kept as it was", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { language: "de" };
  const told: string[] = [];
  const { visitor } = await atForm({ language: undefined, onLanguage: (tag) => told.push(tag) });
  await visitor.type(field(/Phone/), "030");
  await visitor.click(box("Language, German"));
  await screen.findByRole("heading", { name: "Ihre Angaben" });
  expect(field(/Telefon/).value).toBe("030");
  const confirmed = screen.getByRole<HTMLInputElement>("checkbox");
  expect(confirmed.checked).toBe(true);
  expect(document.activeElement).toBe(confirmed);
  await visitor.click(confirmed);
  await screen.findByRole("heading", { name: "Your details" });
  expect(told).toEqual(["de", ""]);
  expect(salon.redemptions).toHaveLength(1);
});

test("whatever a chat tells is shown as text", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  salon.said = { display_name: hostile, insurance: hostile };
  salon.guessed = { note: hostile, pet: hostile };
  const { container } = await atForm();
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByText(hostile, { selector: "dd *" })).toBeTruthy();
  expect(field(/Note/).value).toBe(hostile);
});

test("loaded anew, the form comes again for the same holder, and the time is held all the while", async () => {
  salon.said = { display_name: "Ada" };
  const { unmount } = await atForm();
  unmount();
  await atForm();
  expect(salon.released).toEqual([]);
  const [first, again] = salon.redemptions;
  expect(again?.holder).toBe(first?.holder);
  expect(again?.requestId).not.toBe(first?.requestId);
});

test("another ticket is another holder's; and who is named as the holder is it", async () => {
  const first = await atForm();
  first.unmount();
  const second = await atForm({ ticket: `${TICKET}-2` });
  second.unmount();
  await atForm({ holder: "kim" });
  expect(new Set(salon.redemptions.map(({ holder }) => holder)).size).toBe(3);
  expect(salon.redemptions[2]?.holder).toBe("kim");
});

test("where the browser keeps nothing the ticket opens all the same", async () => {
  const blocked = () => {
    throw new DOMException("Blocked.", "SecurityError");
  };
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(blocked);
  await atForm();
  expect(salon.redemptions).toHaveLength(1);
});

test("another time can be chosen, with what was filled in and confirmed kept", async () => {
  salon.said = { display_name: "Ada" };
  salon.guessed = { email: "ada@example.com" };
  const { visitor } = await atForm();
  await visitor.click(box("Email"));
  await visitor.click(screen.getByRole("button", { name: "Back" }));
  await waitFor(() => expect(salon.released).toEqual([salon.redeemedHold]));
  await salon.shows([slot("10:00"), slot("11:00")]);
  await visitor.click(await screen.findByRole("button", { name: "10:00" }));
  await screen.findByRole("heading", { name: "Your details" });
  expect(field("Name").value).toBe("Ada");
  expect(box("Email").checked).toBe(true);
});

test.each([
  ["HANDOFF_INVALID", {}, /^This link does not work/],
  ["HANDOFF_USED", {}, /^This link has been opened elsewhere already/],
  ["HANDOFF_ENDED", { status: "RELEASED" }, /^The time of this link is no longer held/],
  ["HANDOFF_ENDED", { status: "BOOKED" }, /^The appointment of this link is booked already/],
])(
  "refused with %s %j, it says so in its own words, and a time can be chosen",
  async (reason, metadata, words) => {
    salon.redeemProblem = refusal(reason, { metadata });
    const { visitor } = visit(salon, { ticket: TICKET });
    const told = await screen.findByRole("alert");
    expect(told.textContent).toMatch(words);
    expect(told.textContent).toContain("Please choose another time.");
    await visitor.click(screen.getByRole("button", { name: "Continue" }));
    await salon.shows([slot("10:00")]);
    await visitor.click(await screen.findByRole("button", { name: "10:00" }));
    await screen.findByRole("heading", { name: "Your details" });
    expect(screen.queryByRole("alert")).toBeNull();
  },
);

test("where nobody answers it can be tried again, as the same request", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  // So long that nobody waits for it.
  salon.redeemProblem = refusal("OVERLOADED", { code: Code.Unavailable, retryAfterMs: 60_000 });
  const { visitor } = visit(salon, { ticket: TICKET });
  await screen.findByRole("alert");
  salon.redeemProblem = null;
  await visitor.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("heading", { name: "Your details" });
  expect(new Set(salon.redemptions.map(({ requestId }) => requestId)).size).toBe(1);
});

test("a ticket that is the key too offers its own appointment only", async () => {
  const { visitor } = await atForm({ apiKey: TICKET });
  await visitor.click(screen.getByRole("button", { name: "Back" }));
  await visitor.click(await screen.findByRole("button", { name: "Back" }));
  await screen.findByRole("heading", { name: "Book an appointment" });
  expect(screen.queryByText("Colouring")).toBeNull();
  expect(screen.getByLabelText(/Anna/)).toBeTruthy();
});

test("also where another has used it", async () => {
  const metadata = { appointment_type: "businesses/salon/appointmentTypes/class" };
  salon.redeemProblem = refusal("HANDOFF_USED", { metadata });
  visit(salon, { apiKey: TICKET, ticket: TICKET });
  await screen.findByText(/opened elsewhere already/);
  await screen.findByRole("heading", { name: "Choose a time" });
});

test("a ticket that is the key too books once: nothing else is offered then", async () => {
  salon.said = { display_name: "Ada" };
  const { visitor } = await atForm({ apiKey: TICKET });
  await press(visitor);
  await screen.findByRole("heading", { name: "You are booked" });
  expect(screen.queryByRole("button", { name: "Book another" })).toBeNull();
});

test.each([
  ["the key is none", () => (salon.catalogProblem = ended("KEY_INVALID")), /does not work/],
  [
    "the ticket has ended",
    () => (salon.catalogProblem = ended("CAPABILITY_ENDED")),
    /no longer held/,
  ],
  [
    "it is booked",
    () => (salon.redeemProblem = refusal("HANDOFF_ENDED", { metadata: { status: "BOOKED" } })),
    /is booked already/,
  ],
  [
    "nothing is known of it any more",
    () => (salon.redeemProblem = refusal("HANDOFF_ENDED", { metadata: { status: "GONE" } })),
    /no longer held/,
  ],
])("where %s, a ticket that is the key says so and leads nowhere", async (_, prepare, words) => {
  prepare();
  visit(salon, { apiKey: TICKET, ticket: TICKET });
  expect((await screen.findByRole("alert")).textContent).toMatch(words);
  expect(screen.queryByRole("button")).toBeNull();
});

function ended(reason: string) {
  return refusal(reason, { code: Code.Unauthenticated });
}

test("axe finds nothing at the form of a ticket, with its messages", async () => {
  salon.said = { insurance: "none", language: "de" };
  salon.guessed = { display_name: "Ada", first_visit: "yes", time_zone: "Europe/Paris" };
  const { container, visitor } = await atForm();
  await press(visitor);
  await screen.findAllByText("Please confirm this, or change it.");
  const found = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map(({ id }) => id)).toEqual([]);
});

test.each(LANGUAGES)("the suggestion is told in %s", async (language) => {
  salon.guessed = { display_name: "Ada" };
  const words = await loadWords(language);
  visit(salon, { ticket: TICKET, language });
  expect(await screen.findByText(words.suggested)).toBeTruthy();
  expect(screen.getByRole("checkbox").closest("label")?.textContent).toContain(
    words.suggestionRight,
  );
});
