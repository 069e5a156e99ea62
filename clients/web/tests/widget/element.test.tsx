import { act, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Salon, slot } from "./salon.js";

/** The element makes its own transport, by address and key; here it is the salon's. */
const made = vi.hoisted(() => ({
  options: [] as { baseUrl: string }[],
  transport: null as unknown,
}));

vi.mock("@connectrpc/connect-web", () => ({
  createGrpcWebTransport: (options: { baseUrl: string }) => {
    made.options.push(options);
    return made.transport;
  },
}));

let salon: Salon;

beforeEach(async () => {
  salon = new Salon();
  made.transport = salon.transport;
  made.options.length = 0;
  await import("../../src/element.js");
});

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.removeAttribute("lang");
});

async function put(attributes: Record<string, string>, properties: object = {}) {
  const element = document.createElement("slotcast-booking");
  Object.assign(element, properties);
  const all = {
    url: "https://book.example",
    "api-key": "k",
    business: "salon",
    "time-zone": "Europe/Berlin",
    "hour-cycle": "24",
    ...attributes,
  };
  for (const [name, value] of Object.entries(all)) element.setAttribute(name, value);
  await act(async () => document.body.append(element));
  const root = element.shadowRoot?.querySelector("div");
  if (!root) throw new Error("There is nothing in its shadow root.");
  return { element, inside: within(root), visitor: userEvent.setup() };
}

test("it shows the widget in a shadow root of its own", async () => {
  const { inside } = await put({ language: "en" });
  await inside.findByRole("heading", { name: "Book an appointment" });
  expect(made.options[0]?.baseUrl).toBe("https://book.example");
});

test("attributes are followed while it stands there", async () => {
  const { element, inside } = await put({ language: "en" });
  await inside.findByRole("heading", { name: "Book an appointment" });
  await act(async () => element.setAttribute("language", "de"));
  await inside.findByRole("heading", { name: "Termin buchen" });
  await act(async () => element.setAttribute("theme", "dark"));
  await waitFor(() =>
    expect(element.shadowRoot?.querySelector(".slotcast")?.getAttribute("data-theme")).toBe("dark"),
  );
  await act(async () => element.setAttribute("appointment-type", "colouring"));
  await inside.findByRole("heading", { name: "Zeit wählen" });
});

test("it speaks the language of the page, and runs as that does", async () => {
  document.documentElement.lang = "ar";
  const { element, inside } = await put({});
  await inside.findByRole("heading", { name: "احجز موعدًا" });
  expect(element.shadowRoot?.querySelector(".slotcast")?.getAttribute("dir")).toBe("rtl");
});

test("right to left, the left arrow goes to the next day", async () => {
  const { element, inside, visitor } = await put({
    language: "ar-u-nu-latn",
    "appointment-type": "colouring",
  });
  await inside.findByRole("heading", { name: "اختر وقتًا" });
  await salon.shows([slot("10:00", { type: "colouring" })]);
  const day = await inside.findByRole("button", { name: /(^|\D)8 يناير 2030/ });
  await act(async () => day.focus());
  await visitor.keyboard("{ArrowLeft}");
  await waitFor(() => expect(element.shadowRoot?.activeElement?.textContent).toBe("9"));
});

test("the page is told what is held, released and booked, in plain data", async () => {
  const { element, inside, visitor } = await put(
    { language: "en", name: "Ada" },
    { fields: { conversation: "c-17" } },
  );
  const heard: [string, unknown][] = [];
  for (const type of ["slotcast-held", "slotcast-released", "slotcast-booked"])
    document.addEventListener(type, (event) => heard.push([type, (event as CustomEvent).detail]), {
      once: true,
    });
  await visitor.click(await inside.findByRole("button", { name: "Continue" }));
  await salon.shows([slot("10:00")]);
  await visitor.click(await inside.findByRole("button", { name: "10:00" }));
  await visitor.click(await inside.findByRole("button", { name: "Back" }));
  await salon.shows([slot("10:00")]);
  await visitor.click(await inside.findByRole("button", { name: "10:00" }));
  await visitor.click(await inside.findByRole("button", { name: "Book" }));
  await inside.findByRole("heading", { name: "You are booked" });
  expect(heard.map(([type]) => type)).toEqual([
    "slotcast-held",
    "slotcast-released",
    "slotcast-booked",
  ]);
  expect(heard[0]?.[1]).toMatchObject({
    hold: "businesses/salon/holds/1",
    start: "2030-01-08T09:00:00.000Z",
  });
  expect(JSON.parse(JSON.stringify(heard[2]?.[1]))).toEqual(heard[2]?.[1]);
  expect(salon.bookings[0]?.fields).toEqual({ conversation: "c-17" });
  expect(element.isConnected).toBe(true);
});

test("taken out of the page, it gives free what it holds", async () => {
  const { element, inside, visitor } = await put({ language: "en" });
  await visitor.click(await inside.findByRole("button", { name: "Continue" }));
  await salon.shows([slot("10:00")]);
  await visitor.click(await inside.findByRole("button", { name: "10:00" }));
  await inside.findByRole("heading", { name: "Your details" });
  await act(async () => element.remove());
  await waitFor(() => expect(salon.released).toEqual(["businesses/salon/holds/1"]));
});

test("moved within the page, it keeps what it holds and what was typed", async () => {
  const { element, inside, visitor } = await put({ language: "en" });
  await visitor.click(await inside.findByRole("button", { name: "Continue" }));
  await salon.shows([slot("10:00")]);
  await visitor.click(await inside.findByRole("button", { name: "10:00" }));
  await visitor.type(await inside.findByLabelText("Name"), "Ada");
  const elsewhere = document.body.appendChild(document.createElement("section"));
  await act(async () => elsewhere.append(element));
  expect((await inside.findByLabelText<HTMLInputElement>("Name")).value).toBe("Ada");
  expect(salon.released).toEqual([]);
});

test("a second script tag does no harm", async () => {
  vi.resetModules();
  await expect(import("../../src/element.js")).resolves.toBeDefined();
});

test("an attribute that is missing is named", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const element = document.createElement("slotcast-booking");
  await act(async () => document.body.append(element));
  expect(element.shadowRoot?.querySelector("[role=alert]")?.textContent).toContain(
    "url (attribute url)",
  );
});

test("texts of one's own replace single ones", async () => {
  const { inside } = await put({ language: "en" }, { words: { book: "Reserve a chair" } });
  await inside.findByRole("heading", { name: "Reserve a chair" });
});
