"use strict";

// The run, as rows of numbers and words (report/timeline.py); here they get names.

const data = JSON.parse(document.getElementById("data").textContent);
const word = (number) => data.words[number];
const byId = (id) => document.getElementById(id);

const calls = data.calls.map((row) => {
  const [number, operation, client, server, method, began, ended, outcome, reason, revision,
    requestId, request, response, cells] = row;
  return {
    is: "call", number, operation, client: word(client), server: word(server),
    method: word(method), began, ended: ended ?? data.run.ended, isOpen: ended === null,
    outcome, reason: word(reason), revision, requestId, request, response, cells,
  };
});
const watches = data.watches.map((row, index) => {
  const [number, watcher, server, opened, ended, ending, resumes, resumedAt, pauses, filter] = row;
  return {
    is: "watch", index, number, watcher: word(watcher), server: word(server), began: opened,
    ended: ended ?? data.run.ended, ending: word(ending), resumes, resumedAt, pauses,
    filter: word(filter), frames: [],
  };
});
const frames = data.frames.map(([watch, at, kind, revision, seq, lag, says, cells]) => {
  const frame = {
    is: "frame", watch: watches[watch], began: at, ended: at, kind: word(kind), revision, seq,
    lag, says: word(says), cells,
  };
  frame.index = frame.watch.frames.push(frame) - 1;
  return frame;
});
const changes = data.changes.map(([revision, at, kind, says, cells]) => (
  { is: "change", revision, began: at, ended: at, kind: word(kind), says, cells }
));
const faults = data.faults.map(([kind, target, began, ended, detail, blocks]) => (
  { is: "fault", kind: word(kind), target: word(target), began, ended: ended ?? data.run.ended,
    detail, blocks }
));
const violations = data.violations.map(
  ([promise, rule, text, at, revision, callNumbers, watchNumbers], index) => (
    { is: "violation", index, promise, rule, text, at, revision,
      calls: new Set(callNumbers), watches: new Set(watchNumbers) }
  ),
);
const sights = data.sights.map(([watcher, at, isStale, revision, slots]) => (
  { is: "sight", watcher: word(watcher), began: at, ended: data.run.ended, isStale: !!isStale,
    revision, slots }
));
const callByNumber = new Map(calls.map((call) => [call.number, call]));
const watchByNumber = new Map(watches.map((watch) => [watch.number, watch]));
const changeByRevision = new Map(changes.map((change) => [change.revision, change]));
const attemptsOf = grouped(calls, (call) => call.operation);

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

// Lanes: one below the other, each with its items by time, in rows where they overlap. Seen from
// afar the rows are low, so that all lanes are seen at once; from near there is room for words.

const ROWS_MAX = 5;
const ROOMY_SECONDS_MAX = 3;
const GUTTER = 118;
const OVERVIEW = 30;
const AXIS = 22;
const HEAD = OVERVIEW + AXIS;
const SERVERS = [...new Set(["a", "b", ...calls.map((call) => call.server)])].sort();
const lanes = [];

function addLane(group, name, items, rowHeights, paint) {
  const sorted = [...items].sort((one, other) => one.began - other.began);
  const ends = [];
  for (const item of sorted) {
    let row = ends.findIndex((end) => end <= item.began);
    if (row < 0) row = ends.length < ROWS_MAX ? ends.length : ends.indexOf(Math.min(...ends));
    ends[row] = item.ended;
    item.row = row;
  }
  const longest = sorted.reduce((most, item) => Math.max(most, item.ended - item.began), 0);
  const rows = Math.max(1, ends.length);
  const lane = { group, name, items: sorted, rowHeights, rows, paint, longest };
  for (const item of sorted) item.lane = lane;
  lanes.push(lane);
}

function placeLanes(isRoomy) {
  let top = 8;
  let before = null;
  for (const lane of lanes) {
    if (before) top += before.height + (before.group === lane.group ? 3 : 12);
    lane.rowHeight = lane.rowHeights[isRoomy ? 1 : 0];
    lane.height = lane.rows * lane.rowHeight + 4;
    lane.top = top;
    before = lane;
  }
  lanesHeight = before.top + before.height + 10;
}

// What was at the top stays there when the rows change their height.
function fitRows() {
  const wasRoomy = isRoomy;
  isRoomy = view.to - view.from <= ROOMY_SECONDS_MAX;
  if (isRoomy === wasRoomy) return;
  const first = lanes.find((lane) => lane.top + lane.height > stage.scrollTop);
  const isAtTop = stage.scrollTop === 0;
  placeLanes(isRoomy);
  fitHeight();
  if (!isAtTop && first) stage.scrollTop = first.top;
}

const naturally = (one, other) => one.localeCompare(other, "en", { numeric: true });
const inOrder = (groups) => [...groups.keys()].sort(naturally);

function buildLanes() {
  const byClient = grouped(calls, (call) => call.client);
  for (const name of inOrder(byClient)) {
    addLane("clients", name, byClient.get(name), [5, 13], paintCall);
  }
  const broken = new Map([...SERVERS, "postgres", "valkey"].map((name) => [name, []]));
  for (const fault of faults) {
    for (const name of partsOf(fault)) {
      if (!broken.has(name)) broken.set(name, []);
      broken.get(name).push({ ...fault, fault });
    }
  }
  for (const [name, some] of broken) addLane("servers", name, some, [13, 16], paintFault);
  addLane("revisions", "revisions", changes, [14, 16], paintChange);
  const byWatcher = grouped(watches, (watch) => watch.watcher);
  for (const name of inOrder(byWatcher)) {
    addLane("watches", name, byWatcher.get(name), [11, 16], paintWatch);
  }
  const byOnlooker = grouped(sights, (sight) => sight.watcher);
  for (const name of inOrder(byOnlooker)) {
    const some = byOnlooker.get(name);
    some.forEach((sight, index) => { sight.ended = some[index + 1]?.began ?? data.run.ended; });
    addLane("onlookers", name, some, [8, 11], paintSight);
  }
}

// A fault between two parts is shown at the one that is a server, or at both.
function partsOf(fault) {
  const parts = fault.target.split(" - ").filter((part) => part !== "clients");
  return parts.length ? parts : [fault.target];
}

// What is shown: a span of time, what passes the filters, and what was pinned.

const view = { from: 0, to: data.run.ended };
const filter = { calendar: "", slot: "", find: "", hidden: new Set() };
let wanted = null; // The cells that the filter asks for, or null for all.
let chosen = null; // A violation.
let pinned = null; // An item.
let hovered = null;
let reached = new Set(); // The frames that first carried what is pinned.
let colours = {};
let isDrawing = false;
let isRoomy = null;
let lanesHeight = 0;

const canvas = byId("chart");
const stage = byId("stage");
const context = canvas.getContext("2d");
const xOf = (at) => GUTTER + ((at - view.from) / (view.to - view.from)) * plotWidth();
const timeAt = (x) => view.from + ((x - GUTTER) / plotWidth()) * (view.to - view.from);
const plotWidth = () => Math.max(1, canvas.clientWidth - GUTTER - 8);

function passes(item) {
  if (item.is === "call") {
    if (filter.hidden.has(item.outcome)) return false;
    if (filter.find && !found(item)) return false;
  }
  if (item.is === "frame" && filter.hidden.has(kindOf(item))) return false;
  if (item.is === "change" && filter.find && !found(item)) return false;
  return !wanted || !item.cells || item.cells.some((cell) => wanted.has(cell));
}

function found(item) {
  if (item.sought === undefined) {
    item.sought = item.is === "call"
      ? [`#${item.operation}#`, item.method, item.requestId, item.request, item.response,
        item.reason, item.client, `r${item.revision}.`].join(" ").toLowerCase()
      : `${item.kind} r${item.revision}. ${item.says}`.toLowerCase();
  }
  const text = filter.find.toLowerCase();
  if (/^#\d+$/.test(text)) return item.sought.includes(`${text}#`);
  if (/^r\d+$/.test(text)) return item.sought.includes(`${text}.`);
  return item.sought.includes(text);
}

const kindOf = (frame) => (frame.kind.startsWith("snapshot") ? "snapshot" : frame.kind);

function isMarked(item) {
  if (!chosen) return false;
  if (item.is === "call") return chosen.calls.has(item.number);
  if (item.is === "watch") return chosen.watches.has(item.number);
  return item.is === "change" && chosen.revision === item.revision;
}

function isPinned(item) {
  if (!pinned) return false;
  if (item === pinned || reached.has(item)) return true;
  if (item.is === "call" && pinned.is === "call") return item.operation === pinned.operation;
  const revision = pinned.is === "call" && pinned.outcome !== "ok" ? 0 : pinned.revision;
  return item.is !== "call" && item.is !== "watch" && item.is !== "sight" && item.is !== "fault"
    && revision > 0 && item.revision === revision;
}

// Drawing.

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ground", "raised", "line", "faint", "ink", "quiet", "ok", "refused", "unknown",
    "wrong", "pinned", "fault", "pause", "snapshot", "delta", "heartbeat", "reset", "goodbye"];
  colours = Object.fromEntries(
    names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  );
}

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    paintAll();
  });
}

function fitCanvas() {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [stage.clientWidth, stage.clientHeight];
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    fitHeight();
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
}

function fitHeight() {
  byId("height").style.height = `${Math.max(0, HEAD + lanesHeight - stage.clientHeight)}px`;
}

function paintAll() {
  fitCanvas();
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, width, height);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.save();
  context.beginPath();
  context.rect(0, HEAD, width, height - HEAD);
  context.clip();
  context.translate(0, HEAD - stage.scrollTop);
  paintGrid(lanesHeight);
  for (const lane of lanes) paintLane(lane);
  paintLinks();
  paintViolations(lanesHeight);
  for (const lane of lanes) paintLabel(lane);
  context.restore();
  paintAxis(width);
  paintOverview(width);
}

function paintGrid(height) {
  for (const fault of faults) {
    if (fault.ended < view.from || fault.began > view.to) continue;
    const [left, right] = [Math.max(GUTTER, xOf(fault.began)), xOf(fault.ended)];
    context.fillStyle = colours.fault;
    context.globalAlpha = 0.07;
    context.fillRect(left, 0, Math.max(1, right - left), height);
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.faint;
  for (const at of ticks()) context.fillRect(Math.round(xOf(at)), 0, 1, height);
  for (const at of [data.run.faultsEnded, data.run.trafficEnded]) {
    context.fillStyle = colours.line;
    if (at > 0) context.fillRect(Math.round(xOf(at)), 0, 1, height);
  }
}

// Items are in the order of their beginnings: those that can be seen are found by halving.
function visible(items, longest) {
  const from = firstAfter(items, view.from - longest);
  const to = firstAfter(items, view.to);
  return items.slice(from, to);
}

function firstAfter(items, at) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].began < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function paintLane(lane) {
  const { top, height } = lane;
  if (top + height < stage.scrollTop - 20) return;
  if (top > stage.scrollTop + canvas.clientHeight) return;
  context.fillStyle = colours.faint;
  context.fillRect(GUTTER, top + height + 1, plotWidth(), 1);
  const important = [];
  const lastX = new Map();
  for (const item of visible(lane.items, lane.longest)) {
    if (isMarked(item) || isPinned(item) || item === hovered) important.push(item);
    else lane.paint(item, lane, lastX);
  }
  for (const item of important) lane.paint(item, lane, null);
}

const rowTop = (item) => item.lane.top + 2 + item.row * item.lane.rowHeight;

// Of what falls on the same pixel in the same colour only the first is drawn.
function isCovered(lastX, key, left, right) {
  if (!lastX) return false;
  if ((lastX.get(key) ?? -1) >= right) return true;
  lastX.set(key, Math.max(right, left + 1));
  return false;
}

function outlined(item, left, top, width, height) {
  const colour = isMarked(item) ? colours.wrong : isPinned(item) ? colours.pinned : null;
  if (!colour && item !== hovered) return;
  context.strokeStyle = colour ?? colours.ink;
  context.lineWidth = colour ? 2 : 1;
  context.strokeRect(left - 1.5, top - 1.5, width + 3, height + 3);
}

function paintCall(call, lane, lastX) {
  const left = Math.max(GUTTER - 2, xOf(call.began));
  const right = Math.max(left + 2, xOf(call.ended));
  const isShown = passes(call);
  if (isCovered(lastX, `${call.outcome}${call.row}${isShown}`, left, right)) return;
  const [top, height] = [rowTop(call), lane.rowHeight - (isRoomy ? 2 : 1)];
  context.globalAlpha = isShown ? 1 : 0.1;
  context.fillStyle = colours[call.outcome];
  context.fillRect(left, top, right - left, height);
  if (call.isOpen) {
    context.fillStyle = colours.ground;
    for (let x = left + 3; x < right; x += 6) context.fillRect(x, top, 2, height);
  }
  if (isRoomy && right - left > 46) {
    context.globalAlpha = isShown ? 1 : 0.2;
    label(`${call.method} ${call.reason || call.response}`, left + 3, top + height / 2 + 0.5,
      right - left - 6, colours.ground, 10);
  }
  context.globalAlpha = 1;
  outlined(call, left, top, right - left, height);
}

function label(text, x, y, width, colour, size) {
  context.save();
  context.beginPath();
  context.rect(x, y - 8, width, 16);
  context.clip();
  context.fillStyle = colour;
  context.font = `${size}px system-ui, sans-serif`;
  context.fillText(text, x, y);
  context.restore();
}

function paintFault(fault, lane) {
  const left = Math.max(GUTTER, xOf(fault.began));
  const width = Math.max(2, xOf(fault.ended) - left);
  const [top, height] = [rowTop(fault), lane.rowHeight - 2];
  context.globalAlpha = 0.3;
  context.fillStyle = colours.fault;
  context.fillRect(left, top, width, height);
  context.globalAlpha = 1;
  context.fillRect(left, top, 2, height);
  if (width > 30) {
    label(`${fault.kind} ${fault.detail}`, left + 5, top + height / 2, width - 6, colours.ink, 10);
  }
  outlined(fault, left, top, width, height);
}

function paintChange(change, lane, lastX) {
  const x = Math.round(xOf(change.began));
  const isShown = passes(change);
  if (isCovered(lastX, `${isShown}`, x, x + 1)) return;
  const isStrong = isPinned(change) || isMarked(change) || change === hovered;
  context.globalAlpha = isShown ? 1 : 0.1;
  context.fillStyle = isStrong
    ? colours[isMarked(change) ? "wrong" : "pinned"] : colours.quiet;
  const top = rowTop(change);
  context.fillRect(x - (isStrong ? 1 : 0), top, isStrong ? 3 : 1, lane.rowHeight - 2);
  // A revision's number, where there is room for it.
  const next = changeByRevision.get(change.revision + 1);
  if (!next || xOf(next.began) - x > 34) {
    label(String(change.revision), x + 3, top + 7, 40, colours.quiet, 9);
  }
  context.globalAlpha = 1;
}

function paintWatch(watch, lane) {
  const left = Math.max(GUTTER, xOf(watch.began));
  const right = xOf(watch.ended);
  const [top, height] = [rowTop(watch), lane.rowHeight - 3];
  context.fillStyle = colours.faint;
  context.fillRect(left, top, Math.max(2, right - left), height);
  context.fillStyle = colours.pause;
  for (const [began, ended] of watch.pauses) {
    if (ended < view.from || began > view.to) continue;
    const from = Math.max(GUTTER, xOf(began));
    for (let x = from; x < Math.min(xOf(ended), canvas.clientWidth); x += 4) {
      context.fillRect(x, top, 2, height);
    }
  }
  const lastX = new Map();
  const strong = [];
  for (const frame of visible(watch.frames, 0)) {
    frame.lane = lane;
    frame.row = watch.row;
    if (isPinned(frame) || frame === hovered) strong.push(frame);
    else paintFrame(frame, top, height, lastX, false);
  }
  for (const frame of strong) paintFrame(frame, top, height, null, true);
  paintEnding(watch, right, top, height);
  outlined(watch, left, top, Math.max(2, right - left), height);
}

const FRAME_HEIGHTS = { heartbeat: 0.45, delta: 0.8 };

function paintFrame(frame, top, height, lastX, isStrong) {
  const x = Math.round(xOf(frame.began));
  const isShown = passes(frame);
  const kind = kindOf(frame);
  if (isCovered(lastX, `${kind}${isShown}`, x, x + 1)) return;
  const tall = isStrong ? height : height * (FRAME_HEIGHTS[kind] ?? 1);
  context.globalAlpha = isShown ? 1 : 0.1;
  context.fillStyle = isStrong ? colours.pinned : colours[kind] ?? colours.quiet;
  context.fillRect(x - (isStrong ? 1 : 0), top + height - tall, isStrong ? 3 : 1.5, tall);
  context.globalAlpha = 1;
}

// How a stream ended: as it should, or with an error.
function paintEnding(watch, x, top, height) {
  const isPlain = ["cancelled", "open", "goodbye"].includes(watch.ending);
  context.fillStyle = isPlain ? colours.quiet : colours.unknown;
  context.fillRect(x - 1, top, isPlain ? 1 : 3, height);
}

function paintSight(sight, lane) {
  const left = Math.max(GUTTER, xOf(sight.began));
  const width = Math.max(1, xOf(sight.ended) - left);
  context.globalAlpha = sight.isStale ? 1 : 0.45;
  context.fillStyle = sight.isStale ? colours.unknown : colours.ok;
  context.fillRect(left, rowTop(sight) + 1, width, lane.rowHeight - 4);
  context.globalAlpha = 1;
}

// Retries are linked to what they repeat, resumed streams to the frame whose token they had.
function paintLinks() {
  context.lineWidth = 1;
  for (const attempts of attemptsOf.values()) {
    if (attempts.length < 2) continue;
    const isStrong = isPinned(attempts[0]) || attempts.some(isMarked);
    // From afar the links of all would be one web.
    if ((!isRoomy && !isStrong) || !passes(attempts[0])) continue;
    for (let index = 1; index < attempts.length; index += 1) {
      link(attempts[index - 1], attempts[index], isStrong);
    }
  }
  for (const watch of watches) {
    const before = watchByNumber.get(watch.resumes);
    const frame = before?.frames[watch.resumedAt];
    if (!frame || watch.began < view.from || frame.began > view.to) continue;
    const isStrong = pinned === watch || isMarked(watch);
    if (!isRoomy && !isStrong) continue;
    context.strokeStyle = isStrong ? colours.pinned : colours.snapshot;
    context.globalAlpha = isStrong ? 1 : 0.55;
    curve(xOf(frame.began), rowTop(before) + 6, xOf(watch.began), rowTop(watch) + 6);
    context.globalAlpha = 1;
  }
}

function link(one, other, isStrong) {
  if (other.began < view.from || one.ended > view.to) return;
  context.strokeStyle = isStrong ? colours.pinned : colours.quiet;
  context.globalAlpha = isStrong ? 1 : 0.6;
  curve(xOf(one.ended), rowTop(one) + 4, xOf(other.began), rowTop(other) + 4);
  context.globalAlpha = 1;
}

function curve(fromX, fromY, toX, toY) {
  const middle = (fromX + toX) / 2;
  const sag = fromY === toY ? 7 : 0;
  context.beginPath();
  context.moveTo(Math.max(GUTTER, fromX), fromY);
  context.bezierCurveTo(middle, fromY + sag, middle, toY + sag, toX, toY);
  context.stroke();
}

function paintViolations(height) {
  for (const violation of violations) {
    if (violation.at === null || violation.at < view.from || violation.at > view.to) continue;
    const isChosen = violation === chosen;
    context.globalAlpha = isChosen ? 0.9 : 0.25;
    context.fillStyle = colours.wrong;
    context.fillRect(Math.round(xOf(violation.at)), 0, isChosen ? 2 : 1, height);
    context.globalAlpha = 1;
  }
}

function paintLabel(lane) {
  context.fillStyle = colours.ground;
  context.fillRect(0, lane.top - 2, GUTTER, lane.height + 4);
  const isFirst = lanes[lanes.indexOf(lane) - 1]?.group !== lane.group;
  context.fillStyle = lane.items.some(isMarked) ? colours.wrong : colours.ink;
  context.textAlign = "right";
  context.fillText(lane.name, GUTTER - 8, lane.top + lane.height / 2, GUTTER - 12);
  context.textAlign = "left";
  if (isFirst && lane.top > 10) {
    context.fillStyle = colours.line;
    context.fillRect(0, lane.top - 7, canvas.clientWidth, 1);
  }
}

function tickStep() {
  const least = ((view.to - view.from) / plotWidth()) * 90;
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}

function ticks() {
  const step = tickStep();
  const found = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) found.push(at);
  return found;
}

function paintAxis(width) {
  context.fillStyle = colours.ground;
  context.fillRect(0, OVERVIEW, width, AXIS);
  context.fillStyle = colours.quiet;
  const digits = Math.max(0, Math.min(4, -Math.floor(Math.log10(tickStep()))));
  for (const at of ticks()) {
    context.fillText(`${at.toFixed(digits)} s`, xOf(at) + 3, OVERVIEW + 12);
  }
  const shown = violations
    .filter(({ at }) => at !== null && at >= view.from && at <= view.to)
    .sort((one, other) => (other === chosen) - (one === chosen) || one.index - other.index);
  // Where flags would lie upon each other the worst is shown.
  const taken = [];
  for (const violation of shown) {
    const x = xOf(violation.at);
    if (taken.some((other) => Math.abs(other - x) < 26)) continue;
    taken.push(x);
    flag(x, OVERVIEW + 3, violation);
  }
  context.fillStyle = colours.line;
  context.fillRect(0, HEAD - 1, width, 1);
}

function flag(x, y, violation) {
  const text = String(violation.index + 1);
  const wide = context.measureText(text).width + 8;
  context.fillStyle = colours.wrong;
  context.globalAlpha = violation === chosen || !chosen ? 1 : 0.4;
  context.fillRect(x, y, wide, 16);
  context.fillStyle = colours.ground;
  context.fillText(text, x + 4, y + 8.5);
  context.globalAlpha = 1;
}

// The whole run at a glance: how many calls there were, how many of them unknown, what was broken.
const BINS = 400;
const bins = countedBins();

function countedBins() {
  const counted = Array.from({ length: BINS }, () => ({ all: 0, unknown: 0 }));
  for (const call of calls) {
    const bin = counted[Math.min(BINS - 1, Math.floor((call.began / data.run.ended) * BINS))];
    bin.all += 1;
    bin.unknown += call.outcome === "unknown";
  }
  return counted;
}

const overviewX = (at) => GUTTER + (at / data.run.ended) * plotWidth();

function paintOverview(width) {
  context.fillStyle = colours.raised;
  context.fillRect(0, 0, width, OVERVIEW);
  for (const fault of faults) {
    context.globalAlpha = 0.22;
    context.fillStyle = colours.fault;
    const left = overviewX(fault.began);
    context.fillRect(left, 0, Math.max(1, overviewX(fault.ended) - left), OVERVIEW);
    context.globalAlpha = 1;
  }
  const most = Math.max(1, ...bins.map((bin) => bin.all));
  const binWidth = plotWidth() / BINS;
  bins.forEach((bin, index) => {
    const left = GUTTER + index * binWidth;
    const [all, unknown] = [bin.all, bin.unknown].map((count) => (count / most) * (OVERVIEW - 6));
    context.fillStyle = colours.refused;
    context.fillRect(left, OVERVIEW - 2 - all, binWidth + 0.3, all);
    context.fillStyle = colours.unknown;
    context.fillRect(left, OVERVIEW - 2 - unknown, binWidth + 0.3, unknown);
  });
  for (const violation of violations) {
    if (violation.at === null) continue;
    context.fillStyle = colours.wrong;
    context.fillRect(overviewX(violation.at) - 1, 0, 2, OVERVIEW);
  }
  context.fillStyle = colours.quiet;
  context.textAlign = "right";
  context.fillText("whole run", GUTTER - 8, OVERVIEW / 2);
  context.textAlign = "left";
  context.strokeStyle = colours.pinned;
  context.lineWidth = 1.5;
  const left = overviewX(view.from);
  context.strokeRect(left, 1, Math.max(3, overviewX(view.to) - left), OVERVIEW - 2);
}

// Moving.

const SPAN_MIN = 0.002;

function show(from, to) {
  const length = Math.min(Math.max(to - from, SPAN_MIN), data.run.ended * 1.02);
  const start = Math.max(-data.run.ended * 0.01, Math.min(from, data.run.ended * 1.01 - length));
  view.from = start;
  view.to = start + length;
  fitRows();
  draw();
}

function zoom(factor, around = (view.from + view.to) / 2) {
  show(around - (around - view.from) * factor, around + (view.to - around) * factor);
}

function move(share) {
  const by = (view.to - view.from) * share;
  show(view.from + by, view.to + by);
}

function reveal(item) {
  if (!item?.lane) return;
  const room = stage.clientHeight - HEAD;
  const top = rowTop(item);
  const isSeen = top > stage.scrollTop + 8 && top < stage.scrollTop + room - 30;
  if (!isSeen) stage.scrollTop = top - room / 3;
}

function choose(violation) {
  chosen = violation === chosen ? null : violation;
  for (const row of byId("violations").children) {
    row.classList.toggle("chosen", chosen !== null && Number(row.dataset.index) === chosen.index);
  }
  if (chosen) {
    byId("violations").children[chosen.index].scrollIntoView({ block: "nearest" });
    zoomTo(chosen);
  }
  draw();
}

function zoomTo(violation) {
  const items = [
    ...[...violation.calls].map((number) => callByNumber.get(number)),
    ...[...violation.watches].map((number) => watchByNumber.get(number)),
  ].filter(Boolean);
  const at = violation.at ?? items[0]?.began;
  if (at === undefined) return;
  // All of the calls, if they lie near: one that is long past is found by its outline.
  const near = items.filter((item) => item.is === "call" && Math.abs(item.began - at) < 3);
  const from = Math.min(at, ...near.map((item) => item.began));
  const to = Math.max(at, ...near.map((item) => Math.min(item.ended, at + 3)));
  const margin = Math.max(0.25, (to - from) * 0.25);
  show(from - margin, to + margin);
  reveal(items[0]);
}

// Pointing: what lies under the pointer, and what is said of it.

function itemAt(x, y) {
  if (x < GUTTER || y < HEAD) return null;
  const inside = y - HEAD + stage.scrollTop;
  const lane = lanes.find((each) => inside >= each.top && inside <= each.top + each.height);
  if (!lane) return null;
  const at = timeAt(x);
  const slack = (4 / plotWidth()) * (view.to - view.from);
  const row = Math.floor((inside - lane.top - 2) / lane.rowHeight);
  let best = null;
  let least = Infinity;
  const candidates = [];
  for (const item of visible(lane.items, lane.longest + slack)) {
    if (item.row !== row && lane.items.length) continue;
    candidates.push(item);
    if (item.is === "watch" && item.began <= at + slack && item.ended >= at - slack) {
      candidates.push(...visible(item.frames, 0));
    }
  }
  for (const item of candidates) {
    const apart = Math.max(item.began - at, at - item.ended, 0);
    // A tick wins over the stream that it lies on.
    const rank = apart + (item.is === "watch" ? slack * 0.999 : 0);
    if (apart <= slack && rank < least && (passes(item) || isMarked(item))) {
      best = item;
      least = rank;
    }
  }
  return best;
}

const seconds = (number) => `${number.toFixed(3)} s`;

function facts(item) {
  switch (item.is) {
    case "call":
      return {
        title: `${item.method}, ${item.outcome}${item.reason ? ` (${item.reason})` : ""}`,
        rows: [
          ["call", `${item.number} of operation #${item.operation}${attemptText(item)}`],
          ["by", `${item.client} to ${item.server}`],
          ["at", `${seconds(item.began)}, for ${spent(item)}`],
          ["asks", item.request],
          ["answer", item.response],
          ["revision", item.revision || ""],
          ["request id", item.requestId],
        ],
      };
    case "frame":
      return {
        title: `${item.kind.replace("_", " ")}: ${item.says}`,
        rows: [
          ["stream", `${item.watch.number} of ${item.watch.watcher} from ${item.watch.server}`],
          ["frame", `${item.index} (seq ${item.seq})`],
          ["at", seconds(item.began)],
          ["revision", item.revision],
          ["as of", `${(item.lag * 1000).toFixed(1)} ms before it was read`],
        ],
      };
    case "watch":
      return {
        title: `Stream ${item.number} of ${item.watcher}`,
        rows: [
          ["from", item.server],
          ["at", `${seconds(item.began)}, for ${spent(item)}`],
          ["asks", item.filter],
          ["resumes", item.resumes === null ? "" : `${item.resumes}, frame ${item.resumedAt}`],
          ["frames", item.frames.length],
          ["paused", item.pauses.map(([began, ended]) => `${seconds(ended - began)}`).join(", ")],
          ["ended", item.ending],
        ],
      };
    case "change":
      return {
        title: `Revision ${item.revision}: ${item.kind}`,
        rows: [["at", seconds(item.began)], ["change", item.says]],
      };
    case "fault":
      return {
        title: `${item.kind} ${item.detail}`,
        rows: [
          ["where", item.target],
          ["at", `${seconds(item.began)}, for ${spent(item)}`],
          ["blocks", item.blocks.map((link) => link.join(" – ")).join(", ")],
        ],
      };
    default:
      return {
        title: `${item.watcher} sees ${item.isStale ? "a stale view" : "a good view"}`,
        rows: [
          ["at", `${seconds(item.began)}, for ${spent(item)}`],
          ["revision", item.revision],
          ["slots", item.slots],
        ],
      };
  }
}

const spent = (item) => `${((item.ended - item.began) * 1000).toFixed(1)} ms`;

function attemptText(call) {
  const attempts = attemptsOf.get(call.operation);
  return attempts.length < 2 ? "" : `, attempt ${attempts.indexOf(call) + 1} of ${attempts.length}`;
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function factList(rows) {
  const list = element("dl");
  for (const [name, value] of rows) {
    if (value === "" || value === undefined || value === null) continue;
    list.append(element("dt", name), element("dd", value));
  }
  return list;
}

function showTip(event) {
  const tip = byId("tip");
  const bounds = canvas.getBoundingClientRect();
  const item = itemAt(event.clientX - bounds.left, event.clientY - bounds.top);
  if (item !== hovered) {
    hovered = item;
    draw();
  }
  tip.hidden = !item;
  if (!item) return;
  const { title, rows } = facts(item);
  tip.replaceChildren(element("b", title), factList(rows));
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 16;
  const isLow = below + tip.offsetHeight > window.innerHeight;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${isLow ? event.clientY - tip.offsetHeight - 12 : below}px`;
}

// Pinned: all attempts of an operation; how a revision came to be, and when whom it reached.
function pin(item) {
  pinned = item?.fault ?? item;
  reached = new Set();
  const details = byId("details");
  details.hidden = !pinned;
  if (pinned) fillDetails(details);
  draw();
}

function fillDetails(details) {
  const { title, rows } = facts(pinned);
  const close = element("button", "Close", "close");
  close.addEventListener("click", () => pin(null));
  details.replaceChildren(close, element("h2", title), factList(rows));
  const blamed = violations.filter((each) => (
    each.calls.has(pinned.number) && pinned.is === "call")
    || (each.watches.has((pinned.watch ?? pinned).number) && pinned.is !== "call"));
  if (blamed.length) details.append(element("h3", "in violations"));
  for (const each of blamed) {
    details.append(linkTo(`${each.index + 1}. ${each.promise} ${each.rule}`, () => choose(each)));
  }
  if (pinned.is === "call" && attemptsOf.get(pinned.operation).length > 1) fillAttempts(details);
  const isDone = pinned.is !== "call" || pinned.outcome === "ok";
  if (isDone && pinned.revision && changeByRevision.has(pinned.revision)) fillRevision(details);
}

function linkTo(text, go) {
  const made = element("p");
  const anchor = element("a", text);
  anchor.addEventListener("click", go);
  made.append(anchor);
  return made;
}

function fillAttempts(details) {
  details.append(element("h3", "attempts"));
  for (const call of attemptsOf.get(pinned.operation)) {
    const attempt = element("div", undefined, "attempt");
    attempt.append(linkTo(
      `call ${call.number} to ${call.server} at ${seconds(call.began)}`,
      () => { show(call.began - 0.5, call.ended + 0.5); reveal(call); pin(call); },
    ));
    const answer = call.response || call.reason;
    attempt.append(element("p", `${call.outcome} after ${spent(call)}: ${answer}`));
    details.append(attempt);
  }
}

function fillRevision(details) {
  const change = changeByRevision.get(pinned.revision);
  details.append(element("h3", `revision ${change.revision}`));
  details.append(element("p", `${change.kind} at ${seconds(change.began)}: ${change.says}`));
  const asked = calls.find((call) => call.outcome === "ok" && call.requestId
    && call.revision === change.revision);
  if (asked) {
    details.append(linkTo(`answered to call ${asked.number} of ${asked.client}`, () => {
      show(asked.began - 0.5, asked.ended + 0.5);
      reveal(asked);
      pin(asked);
    }));
  }
  details.append(element("h3", "reached"));
  for (const watch of watches) {
    if (watch.ended < change.began || watch.began > change.began) continue;
    const frame = watch.frames.find(
      (each) => each.revision >= change.revision && each.began >= change.began,
    );
    if (frame) reached.add(frame);
    const when = frame
      ? `after ${((frame.began - change.began) * 1000).toFixed(1)} ms, by a ${frame.kind}`
      : "never, before it ended";
    details.append(linkTo(`${watch.watcher} (stream ${watch.number}) ${when}`, () => {
      reveal(watch);
      pin(frame ?? watch);
    }));
  }
}

// The page.

function fillHeader() {
  const { scenario, seed, command } = data.run;
  document.title = `${scenario}, seed ${seed}: ${violations.length} violations`;
  byId("title").textContent = `${scenario}, seed ${seed}`;
  const verdict = byId("verdict");
  verdict.textContent = violations.length === 1 ? "1 violation"
    : `${violations.length || "no"} violations`;
  verdict.classList.toggle("wrong", violations.length > 0);
  const count = (number, what) => `${number.toLocaleString("en")} ${what}`;
  byId("counts").textContent = [
    count(attemptsOf.size, "operations"), count(calls.length, "calls"),
    count(changes.length, "revisions"), count(watches.length, "streams"),
    count(frames.length, "frames"), count(faults.length, "faults"),
    `${data.run.ended.toFixed(0)} s from ${data.run.startedAt.slice(0, 19).replace("T", " ")}`,
  ].join(" · ");
  byId("command").textContent = command;
}

function fillViolations() {
  const list = byId("violations");
  for (const violation of violations) {
    const row = element("li");
    row.dataset.index = violation.index;
    row.append(
      element("span", violation.index + 1, "number"),
      element("b", violation.promise),
      element("span", violation.rule),
      element("span", violation.at === null ? "" : seconds(violation.at), "at"),
      element("span", violation.text, "text"),
    );
    row.addEventListener("click", () => choose(violation));
    list.append(row);
  }
}

function fillFilters() {
  for (const calendar of data.calendars) byId("calendar").append(element("option", calendar));
  fillSlots();
  const boxes = (names, target) => {
    for (const name of names) {
      const box = element("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => {
        if (box.checked) filter.hidden.delete(name);
        else filter.hidden.add(name);
        draw();
      });
      const swatch = element("span", undefined, "swatch");
      swatch.style.background = `var(--${name})`;
      const made = element("label");
      made.append(box, swatch, name);
      byId(target).append(made);
    }
  };
  boxes(["ok", "refused", "unknown"], "outcomes");
  boxes(["snapshot", "delta", "heartbeat", "reset", "goodbye"], "kinds");
}

function fillSlots() {
  const times = new Set();
  for (const cell of data.cells) {
    const [calendar, time] = cell.split(" ");
    if (!filter.calendar || calendar === filter.calendar) times.add(time);
  }
  const options = [...times].sort().map((time) => element("option", time));
  const every = element("option", "all");
  every.value = "";
  byId("slot").replaceChildren(every, ...options);
  byId("slot").value = times.has(filter.slot) ? filter.slot : "";
  filter.slot = byId("slot").value;
}

function applyFilter() {
  wanted = null;
  if (filter.calendar || filter.slot) {
    const fits = (cell) => {
      const [calendar, time] = cell.split(" ");
      return (!filter.calendar || calendar === filter.calendar)
        && (!filter.slot || time === filter.slot);
    };
    wanted = new Set(data.cells.flatMap((cell, index) => (fits(cell) ? [index] : [])));
  }
  draw();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  readColours();
  draw();
}

function listen() {
  byId("calendar").addEventListener("change", (event) => {
    filter.calendar = event.target.value;
    fillSlots();
    applyFilter();
  });
  byId("slot").addEventListener("change", (event) => {
    filter.slot = event.target.value;
    applyFilter();
  });
  byId("find").addEventListener("input", (event) => {
    filter.find = event.target.value.trim();
    applyFilter();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("in").addEventListener("click", () => zoom(0.5));
  byId("out").addEventListener("click", () => zoom(2));
  byId("all").addEventListener("click", () => show(0, data.run.ended));
  byId("copy").addEventListener("click", () => navigator.clipboard?.writeText(data.run.command));
  byId("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    setTheme(event.matches ? "dark" : "light");
  });
  stage.addEventListener("scroll", draw);
  new ResizeObserver(draw).observe(stage);
  document.addEventListener("keydown", onKey);
  listenToPointer();
}

function onKey(event) {
  if (event.target.matches("input, select")) return;
  const go = {
    ArrowLeft: () => move(-0.2),
    ArrowRight: () => move(0.2),
    "+": () => zoom(0.6),
    "=": () => zoom(0.6),
    "-": () => zoom(1.7),
    0: () => show(0, data.run.ended),
    n: () => step(1),
    p: () => step(-1),
    Escape: () => { pin(null); if (chosen) choose(chosen); },
  }[event.key];
  if (go && !event.ctrlKey && !event.metaKey) {
    go();
    event.preventDefault();
  }
}

function step(by) {
  if (!violations.length) return;
  const index = chosen ? chosen.index + by : by > 0 ? 0 : violations.length - 1;
  const next = violations[(index + violations.length) % violations.length];
  if (next !== chosen) choose(next);
}

function listenToPointer() {
  let from = null;
  canvas.addEventListener("wheel", (event) => {
    const bounds = canvas.getBoundingClientRect();
    const x = event.clientX - bounds.left;
    // Over the names of the lanes the wheel scrolls them.
    if (x < GUTTER) return;
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      move((event.deltaX || event.deltaY) / plotWidth());
    } else {
      zoom(Math.exp(event.deltaY * 0.0022), timeAt(x));
    }
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    const bounds = canvas.getBoundingClientRect();
    from = {
      x: event.clientX, y: event.clientY, view: { ...view }, top: stage.scrollTop,
      isOverview: event.clientY - bounds.top < OVERVIEW, hasMoved: false,
    };
    canvas.setPointerCapture(event.pointerId);
    if (from.isOverview) centre(event.clientX - bounds.left);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) {
      showTip(event);
      return;
    }
    const by = event.clientX - from.x;
    from.hasMoved ||= Math.abs(by) + Math.abs(event.clientY - from.y) > 4;
    if (from.isOverview) {
      centre(event.clientX - canvas.getBoundingClientRect().left);
    } else if (from.hasMoved) {
      canvas.classList.add("dragging");
      const time = (by / plotWidth()) * (from.view.to - from.view.from);
      show(from.view.from - time, from.view.to - time);
      stage.scrollTop = from.top - (event.clientY - from.y);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    canvas.classList.remove("dragging");
    if (from && !from.hasMoved && !from.isOverview) press(event);
    from = null;
  });
  canvas.addEventListener("pointerleave", () => {
    byId("tip").hidden = true;
    hovered = null;
    draw();
  });
}

function centre(x) {
  const at = ((x - GUTTER) / plotWidth()) * data.run.ended;
  const half = (view.to - view.from) / 2;
  show(at - half, at + half);
}

// A press on a flag chooses its violation, one on an item pins it.
function press(event) {
  const bounds = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
  if (y > OVERVIEW && y < HEAD) {
    const near = violations.filter((each) => each.at !== null && x >= xOf(each.at) - 2
      && x < xOf(each.at) + 18);
    if (near.length) choose(near[0]);
    return;
  }
  const item = itemAt(x, y);
  pin(item === pinned ? null : item);
}

// A link may say what to show: #violation=2, or #from=3.5&to=4, #theme=dark, #find=r12, #slot=….
function followAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(asked.get("theme") ?? (prefersDark ? "dark" : "light"));
  for (const name of ["calendar", "slot", "find"]) {
    if (asked.has(name)) {
      filter[name] = asked.get(name);
      fillSlots();
      byId(name).value = filter[name];
    }
  }
  applyFilter();
  const violation = violations[Number(asked.get("violation")) - 1];
  if (violation) choose(violation);
  if (asked.has("from")) show(Number(asked.get("from")), Number(asked.get("to")));
  const call = callByNumber.get(Number(asked.get("call")));
  if (call) {
    pin(call);
    reveal(call);
  }
}

buildLanes();
fitRows();
fillHeader();
fillViolations();
fillFilters();
listen();
fitCanvas();
followAddress();
