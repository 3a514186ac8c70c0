// The form that sends an event, without leaving the page.

const form = document.getElementById("send");
const answer = document.getElementById("answer");

form.addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const body = new FormData(form, submit.submitter);
  say("", {});
  try {
    const response = await fetch(form.action, {
      method: "POST", body, headers: { Accept: "application/json" },
    });
    if (response.redirected) location.reload(); // logged out meanwhile
    const { message, errors } = await response.json();
    say(message ?? "", errors ?? {});
  } catch {
    say("The server did not answer; the event may not have been sent.", {});
  }
});

function say(message, errors) {
  answer.textContent = message;
  for (const place of form.querySelectorAll("[data-errors]")) {
    place.textContent = errors[place.dataset.errors]?.join(" ") ?? "";
  }
}

// The events that the state handles, each a button that sends it.
export function offer(events) {
  const buttons = events.map((event) => {
    const button = document.createElement("button");
    button.name = "pick";
    button.value = event;
    button.textContent = event;
    return button;
  });
  document.getElementById("picks").replaceChildren(...buttons);
  document.getElementById("no-picks").hidden = events.length > 0;
}
