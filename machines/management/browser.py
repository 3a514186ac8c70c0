"""A browser that is installed already, made to draw: Mermaid text in, an SVG out, offline."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.staticfiles import finders

from machines.core.errors import MachineError

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "microsoft-edge", "brave-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)  # fmt: skip
MERMAID = "monitor/vendor/mermaid.min.js"
PATIENCE_SECONDS = 120  # 400 states take about 20 s
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND",
    f"--virtual-time-budget={PATIENCE_SECONDS * 1000}", "--dump-dom",
)  # fmt: skip
_PAGE = Path(__file__).with_name("drawing.html")
_RESULT = re.compile(r"(drawn|fault):([A-Za-z0-9+/=]+)\.")


class NoDrawing(MachineError):  # noqa: N818 - reads as what happened
    """No browser is installed, or the one that is did not draw."""


def as_svg(text: str, *, title: str) -> str:
    """The picture of a Mermaid text, as an SVG without HTML in it. Raises NoDrawing."""
    path = _browser()
    with TemporaryDirectory(prefix="sm-draw-") as name:
        folder = Path(name)
        page = folder / "drawing.html"
        page.write_text(_page(text, title), encoding="utf-8")
        answer = _asked(path, page, folder / "profile")
    found = _RESULT.search(answer)
    if found is None:
        raise NoDrawing(f"{path} drew nothing; try --format mermaid, which needs no browser")
    kind, said = found[1], base64.b64decode(found[2]).decode()
    if kind == "fault":
        raise NoDrawing(f"Mermaid could not draw it: {said}")
    return said + "\n"


def _browser() -> str:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise NoDrawing(
            "an SVG is drawn by a browser, and none was found; install Chromium"
            " (apt install chromium, brew install --cask chromium) or Google Chrome,"
            " or take --format mermaid or --format markdown"
        )
    return path


def _page(text: str, title: str) -> str:
    script = finders.find(MERMAID)
    if script is None:
        raise NoDrawing(f"the static file {MERMAID} is missing; restore it from the repository")
    # Names may hold "</script>", which would end the script inside a string too.
    drawing = json.dumps({"text": text, "title": title}).replace("<", "\\u003c")
    page = _PAGE.read_text(encoding="utf-8")
    return page.replace("MERMAID", Path(script).as_uri(), 1).replace("DRAWING", drawing)


def _asked(path: str, page: Path, profile: Path) -> str:
    """What the page holds after its script has ended."""
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # the sandbox refuses root
    command = [path, *FLAGS, *alone, f"--user-data-dir={profile}", page.as_uri()]
    try:
        ended = subprocess.run(  # noqa: S603 - the browser's path and our own flags
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoDrawing(
            f"{path} did not end within {PATIENCE_SECONDS} s; draw less, with --fold or --group"
        ) from None
    return ended.stdout.decode(errors="replace")
