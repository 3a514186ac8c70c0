"""What running work prints: its last part for the record, its lines for the log, secrets masked."""

from __future__ import annotations

import logging

from machines.core.storable import storable
from machines.runtime.secrets import Secrets

logger = logging.getLogger("machines.runtime")

MAX_OUTPUT_BYTES = 64 << 10  # kept of what a run prints: its last ones
MAX_LINE_CHARACTERS = 2_000  # of one line in the log
LINES_AT_ONCE = 200  # in the log, until the next look: a flood is on record, not in the log


class Printout:
    """Takes what one run prints, piece by piece."""

    def __init__(self, machine: str, secrets: Secrets) -> None:
        self._machine = machine
        self._secrets = secrets
        self._kept = bytearray()
        self._line = bytearray()
        self._logged = 0
        self._passed_over = 0
        # A secret that is cut in two is not found, so a little more is kept than is shown.
        self._margin = 4 * secrets.longest
        self._cut = False
        self._line_is_long = False
        self.grew = False

    def add(self, piece: bytes) -> None:
        """Take what was printed."""
        self._kept.extend(piece)
        self.grew = True
        if len(self._kept) > 2 * MAX_OUTPUT_BYTES + self._margin:
            del self._kept[: -MAX_OUTPUT_BYTES - self._margin]
            self._cut = True
        self._line.extend(piece)
        if b"\n" in piece:
            *lines, rest = self._line.split(b"\n")
            for line in lines:
                self._log(line)
            self._line = rest
        if len(self._line) > MAX_OUTPUT_BYTES:
            self._log(self._line)  # its beginning is all that the log shows
            self._line = bytearray()
            self._line_is_long = True

    def look(self) -> str:
        """The text so far, up to its last line; the log takes lines again."""
        self.grew = False
        self._logged = 0
        if self._passed_over:
            logger.info("%s: … %d more lines", self._machine, self._passed_over)
            self._passed_over = 0
        whole = self._kept.rpartition(b"\n")
        return self._shown(whole[0] + whole[1] if whole[1] else self._kept[: -self._margin or None])

    def end(self) -> str:
        """The text when nothing more will come: its last 64 KiB."""
        if self._line:
            self._log(self._line)
            self._line = bytearray()
        return self._shown(self._kept)

    def _shown(self, kept: bytearray) -> str:
        """Secrets masked; bytes that are no UTF-8, and NUL, are replaced."""
        text = self._secrets.mask(storable(kept.decode(errors="replace")), cut=self._cut)
        return text.encode()[-MAX_OUTPUT_BYTES:].decode(errors="ignore")

    def _log(self, line: bytes | bytearray) -> None:
        if self._line_is_long:  # the rest of a line whose beginning is in the log
            self._line_is_long = False
            return
        self._logged += 1
        if self._logged > LINES_AT_ONCE:
            self._passed_over += 1
            return
        text = self._secrets.mask(storable(line.decode(errors="replace")))
        shown = "".join(
            c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text
        )
        logger.info("%s: %s", self._machine, shown[:MAX_LINE_CHARACTERS].rstrip())
