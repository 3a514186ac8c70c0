// What both pages need: text into marked places, and statuses.

const SIGNS = {
  new: "○", running: "●", paused: "◐", stopped: "■", finished: "✓", faulted: "▲", down: "✕",
};

export function fill(element, field, text) {
  const place = element.querySelector(`[data-field="${field}"]`);
  if (place.textContent !== text) place.textContent = text;
  return place;
}

// A running machine whose host is dead is down.
export function shownStatus({ status, up }) {
  return status === "running" && !up ? "down" : status;
}

export function showStatus(element, message) {
  const status = shownStatus(message);
  element.dataset.status = status;
  const badge = element.querySelector(".badge");
  badge.dataset.status = status;
  badge.querySelector(".sign").textContent = SIGNS[status] ?? "";
  fill(badge, "status", status);
}

export function copyOf(templateId) {
  return document.getElementById(templateId).content.firstElementChild.cloneNode(true);
}

// Shows for a moment that something moved; the stylesheet decides how, if at all.
export function mark(element) {
  element.classList.remove("moved");
  void element.offsetWidth; // lets the animation start again
  element.classList.add("moved");
}
