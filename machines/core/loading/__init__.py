"""Loading: the text of a YAML file in, a Definition out, or every fault that the text has.

The text is scanned before a tree is built (``scan``, ``tree``), then read section by section with
line and column at hand (``values``; ``states``, ``events``, ``transitions``, ``actions``), then put
together (``build``). YAML's ``from`` and ``to`` become source and target here and nowhere else.
"""

from machines.core.loading.build import load

__all__ = ["load"]
