"""A large file: 200 states and 1,000 transitions, read and checked.

The floor is what reads YAML fastest in Python and makes nothing of it: PyYAML's ``CSafeLoader``.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable

import django
import yaml

from machines.core.loading import load
from machines.core.validation import validate

RUNS = 9
STAGES = 40  # of five states and 25 transitions each
MUST_SECONDS = 0.15

_HEAD = """\
name: Assembly line
description: One part goes from stage to stage; each claims its job, works, checks and reports.
initial_state: stage_00_waiting
context: {attempts: 0, limit: 3, spoiled: []}
metadata: {machine_name: line, version: 1.4.0}
"""

_TRANSITIONS = """
  # stage {n}
  - {{from: {s}_waiting, to: {s}_claimed, event: new_job}}
  - {{from: {s}_waiting, to: {s}_waiting, event: no_jobs}}
  - {{from: {s}_waiting, to: {s}_failed, after: {n}m, description: Nothing came in time}}
  - from: {s}_waiting
    to: {next}_waiting
    event: skip_{s}
    guard: payload.reason == "empty" and attempts < limit
  - {{from: {s}_waiting, event: ask_{s}, actions: [{{type: log, message: "asked for {{job_id}}"}}]}}
  - {{from: {s}_claimed, to: {s}_working, event: {s}_fetched}}
  - {{from: {s}_claimed, to: {s}_failed, event: error}}
  - {{from: {s}_claimed, to: {s}_waiting, event: {s}_lost, guard: attempts < limit}}
  - {{from: {s}_claimed, to: {s}_failed, event: {s}_lost}}
  - {{from: {s}_claimed, to: {s}_failed, event: timeout(30)}}
  - from: {s}_working
    to: {s}_checking
    event: {s}_done
    description: The part left station {n}; what it measured stands in the context
    actions:
      - {{type: set_context, key: measured_{n}, value: "{{event_data.payload.size}}"}}
  - {{from: {s}_working, to: {s}_working, event: {s}_progress}}
  - {{from: {s}_working, to: {s}_failed, event: [error, {s}_broken]}}
  - {{from: {s}_working, to: {s}_failed, after: 5m}}
  - {{from: {s}_working, to: {s}_waiting, event: cancel_{s}, interrupt: true}}
  - from: {s}_checking
    to: {next}_waiting
    event: {s}_good
    guard: measured_{n} >= 10 and measured_{n} <= 250
  - {{from: {s}_checking, to: {s}_working, event: {s}_good, guard: attempts < limit}}
  - {{from: {s}_checking, to: {s}_failed, event: {s}_good}}
  - {{from: {s}_checking, to: {s}_failed, event: {s}_bad, description: "Not even worth a try"}}
  - {{from: {s}_checking, to: {s}_failed, event: error}}
  - {{from: {s}_failed, to: {s}_waiting, event: {s}_repaired, guard: len(spoiled) < 100}}
  - {{from: {s}_failed, to: {s}_failed, event: {s}_wake, reenter: true}}
  - {{from: {s}_failed, event: ask_{s}, actions: [{{type: log, message: "broken at {n}"}}]}}
  - {{from: {s}_failed, to: {next}_waiting, event: skip_{s}}}
  - {{from: {s}_failed, to: {s}_waiting, after: 1h}}
"""

_ACTIONS = """
  {s}_waiting:
    - {{type: check_database_queue, job_type: {s}}}
  {s}_claimed:
    - {{type: log, message: "Job {{job_id}} is at stage {n}"}}
    - {{type: bash, command: "fetch --part {{part_id}} --stage {n}", success: {s}_fetched}}
  {s}_working:
    - type: bash
      description: Drive the tool along the part, slowly
      command: "drive --part {{part_id}} --depth {{depth}}"
      success: {s}_done
      timeout: 120
      retry: {{attempts: 3, delay: 2s, backoff: 2}}
  {s}_checking:
    - {{type: bash, command: "measure --part {{part_id}}", success: {s}_good, error: {s}_bad}}
  {s}_failed:
    - {{type: add_to_list, list_key: spoiled, value: "{{part_id}}"}}
    - {{type: fail_job, reason: "Stage {n}: {{last_error}}"}}
"""


def main() -> None:
    """Measure in turn, floor and ours, and print medians, spread and ratios."""
    text = large_file()
    read = _reader(text)
    floors, ours = [], []
    for _ in range(RUNS):
        floors.append(_seconds(lambda: yaml.load(text, Loader=yaml.CSafeLoader)))
        ours.append(_seconds(read))
    ratios = sorted(a / b for a, b in zip(ours, floors, strict=True))
    milli = [1000 * taken for taken in ours]
    floor = [1000 * taken for taken in floors]
    print(
        f"load and validate, {len(text) / 1000:.0f} kB, ms: ours {statistics.median(milli):.0f}"
        f" ({min(milli):.0f}-{max(milli):.0f}), PyYAML's CSafeLoader"
        f" {statistics.median(floor):.0f} ({min(floor):.0f}-{max(floor):.0f}), ratio"
        f" {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}),"
        f" must < {1000 * MUST_SECONDS:.0f} ms"
    )


def large_file() -> str:
    """A file of 200 states and 1,000 transitions as a person would write them."""
    stages = [
        {"n": n, "s": f"stage_{n:02}", "next": f"stage_{(n + 1) % STAGES:02}"}
        for n in range(STAGES)
    ]
    transitions = "".join(_TRANSITIONS.format(**stage) for stage in stages)
    actions = "".join(_ACTIONS.format(**stage) for stage in stages)
    return f"{_HEAD}transitions:{transitions}actions:{actions}"


def _reader(text: str) -> Callable[[], object]:
    """What loads the file and checks it against all built-in actions."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smproject.settings")
    django.setup()
    from machines.actions.registry import Registry  # its modules need Django to be set up

    signatures = Registry().signatures()
    return lambda: validate(load(text, origin="line.yaml"), signatures)


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()  # so that neighbours take no time from either side
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
