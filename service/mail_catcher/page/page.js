/** The list of letters, live, and the one that is looked at; its number is in the address. */

const TABS = [
  ["html", "Letter"],
  ["text", "Text"],
  ["calendar", "Calendar"],
  ["headers", "Headers"],
  ["source", "Source"],
];
// The letter's own links open elsewhere; whatever it asks of others, it does not get.
const BEFORE_LETTER = `<!doctype html><meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><base target="_blank">`;

const the = (id) => document.getElementById(id);
let known = new Map();
let shown = null;
let tab = "html";

the("clear").addEventListener("click", () => void clear());
the("tabs").addEventListener("keydown", turnTabs);
addEventListener("hashchange", () => void show());
for (const input of document.querySelectorAll(".looks input"))
  input.addEventListener("change", look);
makeTabs();
listen();

function listen() {
  const changes = new EventSource("/changes");
  changes.addEventListener("letters", () => void refresh());
  changes.addEventListener("error", () => say("Not connected: what is shown may be old.", true));
}

async function refresh() {
  try {
    const answer = await fetch("/letters.json");
    const { smtpUrl, letters } = await answer.json();
    the("smtp").textContent = smtpUrl;
    say("", false);
    list(letters);
    await show();
  } catch {
    say("Not connected: what is shown may be old.", true);
  }
}

function say(text, isBad) {
  const state = the("state");
  state.dataset.isBad = String(isBad);
  if (state.textContent !== text) state.textContent = text;
}

function list(letters) {
  const before = known;
  known = new Map(letters.map((letter) => [letter.number, letter]));
  const newest = letters[0];
  const isNew = newest !== undefined && before.size > 0 && !before.has(newest.number);
  if (isNew) say(`New: ${newest.subject}`, false);
  the("count").textContent = String(letters.length);
  the("none").hidden = letters.length > 0;
  the("clear").disabled = letters.length === 0;
  const places = new Map([...the("letters").children].map((item) => [item.dataset.number, item]));
  // What stays keeps its place in the page, and so the focus.
  the("letters").replaceChildren(
    ...letters.map((letter) => places.get(String(letter.number)) ?? itemOf(letter, before.size > 0)),
  );
  markCurrent();
}

function itemOf(letter, isNew) {
  const item = document.createElement("li");
  item.dataset.number = letter.number;
  item.dataset.isNew = String(isNew);
  const link = document.createElement("a");
  link.href = `#/${letter.number}`;
  const time = textIn("time", shortTime(new Date(letter.receivedAt)));
  time.dateTime = letter.receivedAt;
  link.append(textIn("span", letter.recipients.join(", "), "to"), time);
  link.append(textIn("span", letter.subject || "(without a subject)", "about"));
  if (letter.method) link.append(textIn("span", letter.method, "method"));
  item.append(link);
  return item;
}

function textIn(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  element.dir = "auto";
  return element;
}

function shortTime(instant) {
  return instant.toLocaleTimeString("en-GB");
}

/** Shows the letter that the address names, if there is one. */
async function show() {
  const number = Number(location.hash.slice(2)) || null;
  const isKept = known.has(number);
  the("letter").hidden = !isKept;
  the("choose").hidden = isKept || known.size === 0;
  document.body.dataset.shows = isKept ? "letter" : "list";
  if (number !== shown) {
    const before = shown;
    shown = number;
    if (isKept) await open(number);
    else if (before !== null) focusOn(before);
  }
  markCurrent();
}

/** Who goes back finds themselves where they were. */
function focusOn(number) {
  document.querySelector(`a[href="#/${number}"]`)?.focus();
}

function markCurrent() {
  for (const item of the("letters").children) {
    const link = item.firstElementChild;
    if (item.dataset.number === String(shown)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  document.title = known.get(shown)?.subject ?? "Letters";
}

async function open(number) {
  const answer = await fetch(`/letters/${number}.json`);
  if (!answer.ok || number !== shown) return;
  const letter = await answer.json();
  the("subject").textContent = letter.subject || "(without a subject)";
  the("subject").dir = "auto";
  the("download").href = `/letters/${number}.eml`;
  fill(the("envelope"), [
    ["From", letter.from || letter.sender],
    ["To", letter.to || letter.recipients.join(", ")],
    ["Caught", new Date(letter.receivedAt).toLocaleString("en-GB")],
    ...letter.attachments.map(({ name, type }) => ["Attached", `${name || "a file"} (${type})`]),
  ]);
  the("frame").srcdoc = letter.html ? BEFORE_LETTER + letter.html : "";
  the("text").textContent = letter.text;
  the("panel-calendar").replaceChildren(...letter.calendars.map(calendarOf));
  fill(the("headers"), letter.headers);
  the("source").textContent = letter.source;
  const has = { html: letter.html, text: letter.text, calendar: letter.calendars.length };
  for (const [name] of TABS) the(`tab-${name}`).hidden = name in has && !has[name];
  chooseTab(the(`tab-${tab}`).hidden ? firstTab() : tab);
  the("subject").focus({ preventScroll: true });
  scrollTo(0, 0);
}

function fill(list, pairs) {
  list.replaceChildren(
    ...pairs.flatMap(([word, value]) => [textIn("dt", word), textIn("dd", value)]),
  );
}

function calendarOf({ places, facts, raw }) {
  const section = document.createElement("div");
  section.className = "calendar";
  const words = document.createElement("dl");
  words.className = "facts";
  fill(words, facts);
  const source = document.createElement("details");
  source.append(textIn("summary", "As it is written"), textIn("pre", raw));
  section.append(textIn("h3", places.join(", and ")), words, source);
  return section;
}

function makeTabs() {
  for (const [name, text] of TABS) {
    const button = textIn("button", text);
    button.type = "button";
    button.id = `tab-${name}`;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", `panel-${name}`);
    button.addEventListener("click", () => chooseTab(name));
    the("tabs").append(button);
  }
  chooseTab(tab);
}

function chooseTab(chosen) {
  tab = chosen;
  for (const [name] of TABS) {
    const button = the(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === chosen));
    button.tabIndex = name === chosen ? 0 : -1;
    the(`panel-${name}`).hidden = name !== chosen;
  }
}

function firstTab() {
  return TABS.map(([name]) => name).find((name) => !the(`tab-${name}`).hidden);
}

function turnTabs(event) {
  const there = TABS.map(([name]) => name).filter((name) => !the(`tab-${name}`).hidden);
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const last = there.length - 1;
  const next = there.indexOf(tab) + step;
  const place = Number.isFinite(next) ? (next + there.length) % there.length : next < 0 ? 0 : last;
  chooseTab(there[place]);
  the(`tab-${tab}`).focus();
}

function look() {
  const value = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
  the("letter").dataset.width = value("width");
  const colours = value("colours");
  the("frame").style.colorScheme = colours === "auto" ? "" : colours;
}

async function clear() {
  await fetch("/letters", { method: "DELETE" });
  location.hash = "";
}
