"""Exploration: how many configurations of a machine are looked at in a second, one thread.

The machine has three lists that grow and shrink, a timer and an interrupt: its space is larger
than the limit.
"""

import gc
import os
import statistics
import time

import django

from machines.core.loading import load

RUNS = 5
LIMIT = 10_000  # configurations
MUST_SECONDS = 2.0
LISTS = "xyz"
LONGEST = 24
_HEAD = """\
initial_state: filling
context: {x: [], y: [], z: []}
transitions:
  - {from: filling, to: resting, after: 5s}
  - {from: resting, to: filling, event: again}
  - {from: "*", to: stopped, event: stop}
"""
_LIST = """\
  - {{from: filling, event: put_{key}, guard: len({key}) < {longest}, actions: [{put}]}}
  - {{from: filling, event: take_{key}, guard: len({key}) > 0, actions: [{take}]}}
"""


def main() -> None:
    """Measure, and print the median and the spread."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smproject.settings")
    django.setup()
    from machines.actions.registry import Registry  # its modules need Django to be set up
    from machines.rehearsal.exploration import explore

    definition, registry = load(machine(), origin="lists.yaml"), Registry()
    rates = []
    for _ in range(RUNS):
        gc.collect()
        started = time.process_time()  # so that neighbours take no time
        explored = explore(definition, registry, limit=LIMIT)
        rates.append(explored.configurations / (time.process_time() - started))
        assert explored.configurations == LIMIT
        assert not explored.complete
    median = statistics.median(rates)
    print(
        f"exploration, configurations/s: ours {median:.0f} ({min(rates):.0f}-{max(rates):.0f}),"
        f" {LIMIT} in {LIMIT / median:.2f} s, must < {MUST_SECONDS:.0f} s"
    )


def machine() -> str:
    """Of the lists alone there are more than 15,000 combinations of lengths."""
    return _HEAD + "".join(
        _LIST.format(
            key=key,
            longest=LONGEST,
            put=f"{{type: add_to_list, list_key: {key}, value: 1}}",
            take=f"{{type: pop_from_list, list_key: {key}, store_as: taken}}",
        )
        for key in LISTS
    )


if __name__ == "__main__":
    main()
