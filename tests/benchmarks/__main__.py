"""All measurements, or those named: ``python -m tests.benchmarks durable_events``."""

import sys

from tests.benchmarks import durable_events, exploration, host_process, loading, pure_step

MEASUREMENTS = {
    "durable_events": durable_events.main,
    "host_process": host_process.main,
    "pure_step": pure_step.main,
    "loading": loading.main,
    "exploration": exploration.main,
}

for name in sys.argv[1:] or MEASUREMENTS:
    if name not in MEASUREMENTS:
        sys.exit(f"no measurement {name!r}; there are {', '.join(MEASUREMENTS)}")
    MEASUREMENTS[name]()
