/** Two visitors side by side, each with an element of their own. */
import { type Demo, NOT_SERVED, readDemo } from "./demo.js";

const EVENTS_SHOWN = 3;
/** Both look at one person's times: with "anyone" a time is open as long as somebody has it. */
const LOOKED_AT = {
  "appointment-type": "haircut",
  calendar: "stylist-1",
  duration: "30",
  "heading-level": "3",
};

const panels = [...document.querySelectorAll<HTMLElement>("[data-visitor]")];
const switches = document.querySelector("form");

for (const [name, value] of new URLSearchParams(location.search)) {
  const choice = switches?.elements.namedItem(name);
  if (choice instanceof HTMLSelectElement) choice.value = value;
}

try {
  const demo = await readDemo();
  for (const panel of panels) openChat(panel, demo);
  dress();
  switches?.addEventListener("change", dress);
} catch {
  for (const panel of panels) apologise(panel);
}

for (const button of document.querySelectorAll<HTMLButtonElement>(".turns button"))
  button.addEventListener("click", () => showTurn(button.value));

function openChat(panel: HTMLElement, demo: Demo): void {
  const element = document.createElement("slotcast-booking");
  element.setAttribute("url", demo.url);
  element.setAttribute("business", demo.business);
  element.setAttribute("api-key", demo.apiKey);
  element.setAttribute("waitlist", "");
  for (const [name, value] of Object.entries(LOOKED_AT)) element.setAttribute(name, value);
  const log = panel.querySelector(".events ol");
  const tell = (line: string) => {
    const item = document.createElement("li");
    item.textContent = `${new Date().toLocaleTimeString("en-GB")} ${line}`;
    log?.prepend(item);
    while (log && log.childElementCount > EVENTS_SHOWN) log.lastElementChild?.remove();
  };
  for (const name of ["slotcast-held", "slotcast-released", "slotcast-booked"])
    element.addEventListener(name, (event) =>
      tell(said(name, (event as CustomEvent<Told>).detail)),
    );
  panel.querySelector(".booking")?.append(element);
}

/** What the events of the element tell, as far as it is shown here. */
interface Told {
  readonly appointmentType: string;
  readonly start: string;
  readonly status?: string;
}

function said(event: string, { appointmentType, start, status }: Told): string {
  const what = appointmentType.slice(appointmentType.lastIndexOf("/") + 1);
  return [event, what, day(new Date(start)), status].filter(Boolean).join(" ");
}

/** Gives the page and both elements what the switches say. */
function dress(): void {
  if (!switches) return;
  const chosen = new FormData(switches);
  const theme = String(chosen.get("theme"));
  document.documentElement.dataset["theme"] = theme;
  for (const element of document.querySelectorAll("slotcast-booking")) {
    element.setAttribute("language", String(chosen.get("lang")));
    element.setAttribute("theme", theme);
  }
}

function showTurn(turn: string): void {
  document.querySelector(".stage")?.setAttribute("data-turn", turn);
  for (const button of document.querySelectorAll<HTMLButtonElement>(".turns button"))
    button.setAttribute("aria-pressed", String(button.value === turn));
}

function apologise(panel: HTMLElement): void {
  const words = document.createElement("p");
  words.className = "problem";
  words.textContent = NOT_SERVED;
  panel.querySelector(".booking")?.append(words);
}

function day(instant: Date): string {
  const parts = {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  } as const;
  return instant.toLocaleString("en-GB", parts);
}
