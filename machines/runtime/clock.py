"""The clock of a host: wall time that no step of the system's clock moves while it runs."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Wall time read once, counted on by the monotonic clock from there."""

    def __init__(self) -> None:
        self._started_at = datetime.now(UTC)
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """The present time, in UTC."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._origin)

    def seconds_until(self, at: datetime) -> float:
        """How long until ``at``; never negative."""
        return max(0.0, (at - self.now()).total_seconds())
