"""Validation: what is probably not meant as it is written, in a file that loads.

Each module looks at one part of a definition (``states``, ``events``, ``transitions``, ``guards``,
``timers``, ``loops``, ``actions``, ``names``, ``bash``) and notes what it finds; ``codes`` is the
table of all there is to find. A check that is not certain says nothing.
"""

from machines.core.validation.codes import CODES
from machines.core.validation.peers import Peer, peer
from machines.core.validation.problems import Code, Problem, Severity
from machines.core.validation.validate import validate

__all__ = ["CODES", "Code", "Peer", "Problem", "Severity", "peer", "validate"]
