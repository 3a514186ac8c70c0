// The first page: a card for each machine, and the counts of jobs, kept up to date.

import { timeElement } from "./clock.js";
import { follow } from "./feed.js";
import { copyOf, fill, mark, showStatus } from "./page.js";

const list = document.getElementById("cards");
const cards = new Map([...list.children].map((card) => [card.dataset.machine, card]));
const sought = new URLSearchParams(location.search).get("q")?.trim().toLowerCase() ?? "";
const complete = cards.size < 200; // otherwise the page says that it shows only some

follow("/ws/events", {
  initial({ machines, jobs }) {
    machines.forEach(showMachine);
    showJobs(jobs);
  },
  state_change({ machine, seq, event, target, source, at }) {
    const card = cards.get(machine);
    if (!card || Number(card.querySelector('[data-field="seq"]').textContent) >= seq) return;
    fill(card, "seq", String(seq));
    if (event) fill(card, "last_event", event);
    if (source !== target) enter(card, target, at);
    mark(card);
  },
  machine: showMachine,
  job: ({ counts }) => showJobs(counts),
});

function showMachine(message) {
  const card = cards.get(message.machine) ?? add(message.machine);
  if (!card) return;
  showStatus(card, message);
  if (Number(card.querySelector('[data-field="seq"]').textContent) > message.seq) return;
  fill(card, "seq", String(message.seq));
  if (message.last_event) fill(card, "last_event", message.last_event);
  enter(card, message.state, message.entered_at);
}

function enter(card, state, at) {
  fill(card, "state", state ?? "not begun");
  if (at) card.querySelector('[data-field="entered_at"]').replaceChildren(timeElement("since", at));
}

function add(name) {
  if (!complete || !name.toLowerCase().includes(sought)) return null;
  const card = copyOf("card");
  card.dataset.machine = name;
  fill(card, "machine", name).href = `/machines/${encodeURIComponent(name)}/`;
  const next = [...cards.keys()].filter((other) => other > name).sort()[0];
  list.insertBefore(card, next ? cards.get(next) : null);
  cards.set(name, card);
  document.getElementById("empty")?.remove();
  return card;
}

function showJobs(counts) {
  for (const [status, count] of Object.entries(counts)) {
    const place = document.querySelector(`[data-job-status="${CSS.escape(status)}"]`);
    if (place) fill(place, "count", String(count));
  }
}
