// Times that count on: elements with data-since, data-until and data-clock.

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
let offset = 0; // milliseconds that the server's clock is ahead of ours

export function setServerTime(iso) {
  offset = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + offset;
}

// "3 min 12 s", as the server says it.
export function span(milliseconds) {
  const rest = Math.max(milliseconds, 0);
  if (rest < 1000) return `${Math.floor(rest)} ms`;
  let seconds = Math.floor(rest / 1000);
  const parts = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(seconds / size);
    seconds %= size;
    if (count || parts.length) parts.push([count, unit]);
  }
  return parts.slice(0, 2).filter(([count]) => count).map((part) => part.join(" ")).join(" ");
}

export function timeElement(kind, iso) {
  const element = document.createElement("time");
  element.dateTime = iso;
  element.title = iso;
  element.dataset[kind] = iso;
  show(element);
  return element;
}

// The time of day where the reader is; the whole of it in the title.
export function showClock(element, iso) {
  const moment = new Date(iso);
  element.dateTime = iso;
  element.title = moment.toLocaleString();
  element.textContent = moment.toLocaleTimeString([], { hour12: false });
}

function show(element) {
  const { since, until } = element.dataset;
  const text = coarse(since ? now() - Date.parse(since) : Date.parse(until) - now());
  if (element.textContent !== text) element.textContent = text;
}

// A running count of milliseconds would only flicker.
function coarse(milliseconds) {
  return milliseconds < 1000 ? "0 s" : span(milliseconds);
}

function tick() {
  for (const element of document.querySelectorAll("[data-since], [data-until]")) show(element);
}

for (const element of document.querySelectorAll("[data-clock]")) {
  if (element.dateTime) showClock(element, element.dateTime);
}
setInterval(tick, 1000);
