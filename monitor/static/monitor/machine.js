// A machine's page: applies the feed to the drawing, the facts, the steps and the log.

import { showClock, span, timeElement } from "./clock.js";
import { draw } from "./diagram.js";
import { follow } from "./feed.js";
import { copyOf, fill, mark, showStatus } from "./page.js";
import { offer } from "./send.js";

const MAX_STEPS = 50;
const MAX_LINES = 100;

const page = document.getElementById("machine");
const data = JSON.parse(document.getElementById("drawing").textContent);
const steps = document.getElementById("steps");
const lines = document.getElementById("lines");
const runs = new Map([...lines.children].map((line) => [Number(line.dataset.run), line]));
let seq = data.seq; // of the last step that the page shows
let run = data.run; // id of the newest line
let lastAt = steps.querySelector("time")?.dateTime;
let state = data.state;
let lastStep = data.last;
let drawing = null;
let catchingUp = null;

follow(`/ws/machines/${encodeURIComponent(data.machine)}`, {
  async initial({ machines: [machine] }) {
    await catchUp();
    showMachine(machine);
  },
  async state_change(step) {
    if (step.definition !== data.definition && data.text) return location.reload();
    if (step.seq > seq + 1) await catchUp();
    showStep(step);
  },
  activity_log: showLine,
  machine: showMachine,
});

if (data.text) {
  drawing = await draw(document.getElementById("diagram"), data);
  drawing.enter(state);
  if (lastStep) drawing.take(lastStep);
}

// Steps and lines after the last ones shown; those that arrive meanwhile are known by number.
function catchUp() {
  catchingUp ??= missed().finally(() => { catchingUp = null; });
  return catchingUp;
}

async function missed() {
  // Work that the page shows as running may have ended meanwhile: from the oldest such line on.
  const open = [...runs].filter(([, line]) => line.dataset.outcome === "running");
  const after = Math.min(run, ...open.map(([id]) => id - 1));
  const response = await fetch(`since/?seq=${seq}&run=${after}`);
  if (!response.ok) return;
  const found = await response.json();
  found.steps.forEach(showStep);
  found.lines.forEach(showLine);
}

function showStep(step) {
  if (step.seq <= seq) return;
  seq = step.seq;
  const row = copyOf("step");
  row.dataset.seq = step.seq;
  fill(row, "seq", String(step.seq));
  fill(row, "event", step.event || "automatic").classList.toggle("quiet", !step.event);
  fill(row, "source", step.source ?? "start");
  fill(row, "target", step.target);
  fill(row, "elapsed", lastAt ? span(Date.parse(step.at) - Date.parse(lastAt)) : "—");
  showClock(row.querySelector("time"), step.at);
  lastAt = step.at;
  prepend(steps, row, MAX_STEPS);
  document.getElementById("no-steps").hidden = true;
  setText("seq", String(seq));
  move(step);
}

function move(step) {
  lastStep = step;
  if (step.event) setText("last_event", step.event);
  if (step.source !== step.target) setTime("entered_at", step.at);
  showState(step.target);
  drawing?.take(step);
}

function showState(name) {
  if (name !== state) mark(document.getElementById("state"));
  state = name;
  setText("state", name ?? "not begun");
  document.title = `${data.machine}: ${name ?? "not begun"}`;
  drawing?.enter(name);
  if (data.handled) offer(data.handled[name] ?? []);
}

function showMachine(message) {
  showStatus(page, message);
  setText("fault", message.fault);
  setText("job", message.job ?? "—");
  if (message.seq < seq) return;
  if (message.state !== state) showState(message.state);
  if (message.entered_at) setTime("entered_at", message.entered_at);
  if (message.timers) showTimers(message.timers);
  if (message.context) showContext(message.context);
}

function showTimers(timers) {
  document.getElementById("timers").replaceChildren(...timers.map(({ name, due_at: due }) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    label.textContent = name;
    const rest = document.createElement("span");
    rest.append("in ", timeElement("until", due));
    item.append(label, " ", rest);
    return item;
  }));
}

function showContext(context) {
  const keys = Object.keys(context).sort();
  document.getElementById("context").replaceChildren(...keys.map((key) => {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = key;
    const value = document.createElement("dd");
    value.textContent = asText(context[key]);
    pair.append(term, value);
    return pair;
  }));
  document.getElementById("no-context").hidden = keys.length > 0;
}

function asText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function showLine({ level, message, at, run: work }) {
  const known = work && runs.get(work.id);
  const line = known ?? copyOf("line");
  line.dataset.level = level;
  line.dataset.outcome = work?.outcome ?? "";
  showClock(line.querySelector("time"), at);
  fill(line, "type", work?.type ?? "event");
  fill(line, "outcome", shownOutcome(work, level));
  fill(line, "message", message);
  const output = fill(line, "output", work?.output ?? "");
  output.hidden = !work?.output;
  output.scrollTop = output.scrollHeight;
  if (known) return;
  if (work) {
    runs.set(work.id, line);
    run = Math.max(run, work.id);
  }
  document.getElementById("no-lines").hidden = true;
  const dropped = prepend(lines, line, MAX_LINES);
  if (dropped) runs.delete(Number(dropped.dataset.run));
}

function shownOutcome(work, level) {
  if (work && work.outcome !== "done") return work.outcome;
  return level === "info" ? "" : level;
}

function prepend(list, element, most) {
  list.prepend(element);
  mark(element);
  if (list.children.length <= most) return null;
  const last = list.lastElementChild;
  last.remove();
  return last;
}

function setText(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

function setTime(id, iso) {
  document.getElementById(id).replaceChildren(timeElement("since", iso));
}
