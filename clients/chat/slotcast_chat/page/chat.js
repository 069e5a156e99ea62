// The chat page. What people and tools say is put into the page as text, never as HTML.

const KEPT = "slotcast-chat-conversation";
const STALE = "I do not know right now which times are open. They come back by themselves.";
const LOST = "The connection is lost. I am trying again.";
const STATES = {
  OPEN: "",
  GONE: "just taken",
  HELD: "held for you",
  NOT_LIVE: "was free when I looked",
  UNKNOWN: "not known now",
};

/** These may be chosen; what is not live is found out by holding it. */
const CHOOSABLE = ["OPEN", "NOT_LIVE"];

const log = document.getElementById("log");
const banner = document.getElementById("banner");
const replies = document.getElementById("replies");
const composer = document.getElementById("composer");
const field = document.getElementById("message");

/** The chips of the last answer that had some, by the name of their time. */
let chips = new Map();
let conversation = "";
let source;
/** What was sent is sent on one after the other; beyond so many that wait, nothing is taken. */
const WAITING_MAX = 5;
let waiting = 0;
let last = Promise.resolve();
/** The number of the last answer on the screen: a message is no answer to what came after it. */
let seen = 0;
/** The suggested answers to it. */
let suggested = [];
/** What the server told of the chips last: it counts again once the connection is back. */
let told = { states: {}, isStale: false };

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function addMessage(who, text, className) {
  const item = element("div", className);
  item.append(element("span", "who", `${who}: `), element("p", "", text));
  log.append(item);
  log.scrollTop = log.scrollHeight;
  return item;
}

function withoutOffers(text, offered) {
  const isOffer = (line) =>
    /^\d+\. /.test(line) && offered.some((chip) => line.includes(chip.words)) && !line.includes("is held for you");
  return text
    .split("\n")
    .filter((line) => !isOffer(line))
    .join("\n")
    .trim();
}

function chipButton(chip) {
  const button = element("button", "chip");
  button.type = "button";
  button.append(
    element("span", "clock", chip.clock),
    element("span", "about", chip.people ? `${chip.day}, with ${chip.people}` : chip.day),
    element("span", "state"),
  );
  button.title = chip.words;
  button.addEventListener("click", () => {
    if (CHOOSABLE.includes(button.dataset.state)) send({ time: chip.time });
  });
  return button;
}

function showState(button, state) {
  button.dataset.state = state;
  button.querySelector(".state").textContent = STATES[state];
  // It stays in the order of the keyboard, so that what it says can be heard.
  button.setAttribute("aria-disabled", String(!CHOOSABLE.includes(state)));
}

function withdrawChips() {
  for (const button of chips.values()) {
    showState(button, "GONE");
    button.querySelector(".state").textContent = "no longer offered";
  }
  chips = new Map();
}

function addChips(item, offered) {
  withdrawChips();
  const group = element("div", "chips");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `Open times, in ${offered[0].zone}`);
  for (const chip of offered) {
    const button = chipButton(chip);
    showState(button, "OPEN");
    chips.set(chip.time, button);
    group.append(button);
  }
  item.append(group);
}

function addLink(item, link) {
  const address = new URL(link, location.href);
  if (!["http:", "https:"].includes(address.protocol)) return;
  const anchor = element("a", "link", "Open the form");
  anchor.href = address.href;
  anchor.target = "_blank";
  anchor.rel = "noopener";
  item.append(anchor);
}

function showReplies(texts) {
  replies.replaceChildren(
    ...texts.map((text) => {
      const button = element("button", "", text);
      button.type = "button";
      button.addEventListener("click", () => send({ text }));
      return button;
    }),
  );
}

function said(values) {
  let text = values.chips.length ? withoutOffers(values.text, values.chips) : values.text;
  if (values.link) text = text.replace(values.link, "").trim();
  const item = addMessage("Assistant", text, values.isBooked ? "done" : "");
  if (values.chips.length) addChips(item, values.chips);
  else if (values.isBooked) withdrawChips();
  if (values.link) addLink(item, values.link);
  suggested = values.replies;
  showReplies(suggested);
  log.scrollTop = log.scrollHeight;
}

function showStates() {
  for (const [time, button] of chips) {
    if (told.states[time]) showState(button, told.states[time]);
  }
  showBanner(told.isStale ? STALE : "");
}

function showBanner(text) {
  banner.textContent = text;
  banner.hidden = !text;
}

function lost() {
  for (const button of chips.values()) {
    if (CHOOSABLE.includes(button.dataset.state)) showState(button, "UNKNOWN");
  }
  showBanner(LOST);
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.status === 204 ? {} : response.json();
}

function send(body) {
  if (waiting >= WAITING_MAX) return false;
  waiting += 1;
  const written = { ...body, seen };
  last = last.then(() => sendNow(written));
  return true;
}

function notTaken(status, text) {
  if (status === "404") return "We had not talked for long. Let us begin anew.";
  if (status === "412") return `You sent “${text}” before my last question was here. Please read it, and answer then.`;
  return "That did not get through. Please send it again.";
}

async function sendNow(body) {
  showReplies([]);
  try {
    await post(`api/conversations/${conversation}/messages`, body);
  } catch (error) {
    const isForgotten = error.message === "404";
    addMessage("Assistant", notTaken(error.message, body.text), "");
    if (isForgotten) await begin();
    else showReplies(suggested);
  } finally {
    waiting -= 1;
    field.focus();
  }
}

function listen() {
  source?.close();
  source = new EventSource(`api/conversations/${conversation}/events`);
  source.addEventListener("open", showStates);
  source.addEventListener("heard", (event) => addMessage("You", JSON.parse(event.data).text, "own"));
  source.addEventListener("said", (event) => {
    said(JSON.parse(event.data));
    seen = Number(event.lastEventId);
  });
  source.addEventListener("chips", (event) => {
    told = JSON.parse(event.data);
    showStates();
  });
  source.addEventListener("error", () => {
    lost();
    // Closed for good: the conversation was forgotten, or the server began anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(begin, 2000);
  });
}

async function begin() {
  source?.close();
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    conversation = (await post("api/conversations", { timeZone })).conversation;
  } catch {
    lost();
    setTimeout(begin, 2000);
    return;
  }
  sessionStorage.setItem(KEPT, conversation);
  log.replaceChildren();
  chips = new Map();
  told = { states: {}, isStale: false };
  seen = 0;
  suggested = [];
  showReplies([]);
  listen();
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (text && send({ text })) field.value = "";
});
document.getElementById("anew").addEventListener("click", begin);

conversation = sessionStorage.getItem(KEPT) ?? "";
if (conversation) listen();
else begin();
field.focus();
