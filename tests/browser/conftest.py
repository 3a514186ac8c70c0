"""The real system in processes of its own, and a real browser that looks at it."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from tests.core.hostile_names import HOSTILE_NAMES

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "tests" / "screenshots"
STOP_SECONDS = 40.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAME, PASSWORD = "ada", "correct horse battery"

OVEN = """\
name: oven
initial_state: waiting
states:
  waiting: {}
  loading: {group: "<b>work</b>"}
  baking: {group: "<b>work</b>"}
  burnt: {}
transitions:
  - {from: waiting, to: loading, event: order, guard: "payload.loaves < 3"}
  - {from: waiting, to: baking, event: order}
  - {from: loading, to: baking, event: go}
  - {from: baking, to: waiting, event: done}
  - {from: baking, to: baking, event: knead, actions: [{type: bash, argv: [echo, "<b>dough</b>"]}]}
  - {from: "*", to: burnt, event: fire}
  - {from: burnt, to: waiting, event: clean}
"""


# Those that a file may hold; the others are refused when it is loaded.
DRAWABLE_NAMES = [
    name
    for name in HOSTILE_NAMES
    if len(name) <= 200 and name.translate({9: None, 10: None}) == name
]


def hostile_machine() -> str:
    """A file whose states and events have names that mean something to others."""
    states = {name: {"group": f"group {name}"[:60]} for name in DRAWABLE_NAMES}
    transitions = [
        {"from": name, "to": after, "event": name}
        for name, after in itertools.pairwise(DRAWABLE_NAMES)
    ]
    machine = {
        "name": "hostile",
        "initial_state": DRAWABLE_NAMES[0],
        "states": states,
        "transitions": transitions,
    }
    return json.dumps(machine, ensure_ascii=False)  # which is YAML too


@dataclass(frozen=True)
class System:
    """A running system: where its pages are, and its command line."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str, stdin: str = "") -> None:
        """Run a management command to its good end."""
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            check=True,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def send(self, *events: str, payload: object = None) -> None:
        """Send the oven events from the command line, one after the other."""
        frames = [{"target": "oven", "type": event, "payload": payload} for event in events]
        self.manage("sendevent", "--batch", "-", stdin="\n".join(map(json.dumps, frames)))


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system with two machines, a database and a run directory of its own."""
    with TemporaryDirectory(prefix="sm-") as name:
        folder = Path(name)
        (folder / "oven.yaml").write_text(OVEN)
        (folder / "hostile.yaml").write_text(hostile_machine())
        (folder / "machines.yaml").write_text(
            "machines:\n  oven: {file: oven.yaml}\n  hostile: {file: hostile.yaml}\n"
        )
        port = free_port()
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder}/state.sqlite3",
            "SM_RUN_DIR": str(folder / "run"),
            "SM_MANIFEST": str(folder / "machines.yaml"),
            "DJANGO_SETTINGS_MODULE": "smproject.settings",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        system = System(f"http://127.0.0.1:{port}", environment)
        system.manage("migrate", "-v0")
        system.manage(
            "createsuperuser", "--noinput", "--username", NAME, "--email", "ada@example.org"
        )
        with subprocess.Popen(
            [sys.executable, "manage.py", "runsystem", "--no-workers", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            reading = wait_until_it_runs(process)
            yield system
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
            reading.join()


def wait_until_it_runs(process: subprocess.Popen[str]) -> threading.Thread:
    """Return when the system says that it is ready; fail with all it said if it ends before.

    The thread reads on, or a full pipe would stop the system.
    """
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if "ready:" in line:
            reading = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
            reading.start()
            return reading
    pytest.fail("the system did not start:\n" + "".join(said))


# Of a module: its loop runs as long as it does, and other tests of the process need their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """An installed chromium; nothing is downloaded."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of somebody who is logged in, and what it should not have done."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors on the console, failed requests and those that leave the host."""
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.note(str(error)))
        self.page.on("dialog", lambda dialog: self.note(f"dialog: {dialog.message}"))
        self.page.on("request", self.on_request)

    def on_console(self, said: ConsoleMessage) -> None:
        """Note what the browser reports as an error."""
        if said.type == "error":
            self.note(said.text)

    def on_request(self, asked: Request) -> None:
        """Note a request that leaves the host; data in the page does not."""
        if not asked.url.startswith((self.url, "data:")):
            self.note(asked.url)

    def note(self, complaint: str) -> None:
        """Remember something that should not have happened."""
        self.complaints.append(complaint)

    def open(self, path: str) -> None:
        """Open a page and wait until it is live."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector('[data-live="live"]')

    def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(system: System, browser: Browser) -> Iterator[Visiting]:
    """Logs in with a window of some width and colours; no page of it may have complained."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def log_in(width: int = 1280, colours: str = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if colours == "dark" else "light",
        )
        contexts.append(context)
        visit = Visit(context.new_page(), system.url)
        visits.append(visit)
        visit.watch()
        visit.page.goto(system.url)
        visit.page.fill("#id_username", NAME)
        visit.page.fill("#id_password", PASSWORD)
        visit.page.click("[type=submit]")
        return visit

    yield log_in
    for context in contexts:
        context.close()
    assert [visit.complaints for visit in visits] == [[] for _ in visits]
