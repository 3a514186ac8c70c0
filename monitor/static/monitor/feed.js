// The live feed: connects, answers pings, comes back after a break and says how fresh the page is.

import { setServerTime } from "./clock.js";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10000;
const SILENCE_MS = 45000; // two pings that did not come
const STALE_AFTER_MS = 5000; // a shorter break is only "reconnecting"

const badge = document.querySelector("[data-live]");
let heardAt = Date.now();

// Calls handlers[message.type](message) for every message of the feed at that path.
export function follow(path, handlers) {
  let retryMs = FIRST_RETRY_MS;
  let silence;

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${path}`);
    socket.onmessage = ({ data }) => {
      heardAt = Date.now();
      clearTimeout(silence);
      silence = setTimeout(() => socket.close(), SILENCE_MS);
      const message = JSON.parse(data);
      if (message.now) setServerTime(message.now);
      if (message.type === "ping") socket.send('{"type": "pong"}');
      if (message.type === "initial") {
        retryMs = FIRST_RETRY_MS;
        say("live");
      }
      if (message.type === "error") say("stale", message.message);
      handlers[message.type]?.(message);
    };
    socket.onclose = () => {
      clearTimeout(silence);
      say(Date.now() - heardAt > STALE_AFTER_MS ? "stale" : "reconnecting");
      setTimeout(connect, retryMs * (0.5 + Math.random()));
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    };
  }
  connect();
}

function say(state, reason) {
  badge.dataset.live = state;
  const since = new Date(heardAt).toLocaleTimeString([], { hour12: false });
  badge.querySelector("[data-field]").textContent = state === "stale" ? `stale since ${since}` : state;
  badge.title = reason ?? "How fresh this page is";
}
