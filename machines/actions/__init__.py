"""What machines do: built-in actions, and the base of an author's own.

from machines.actions import BaseAction, action
from machines.actions import Raises, Setting, ValueKind  # what an action may declare
"""

from machines.actions.custom import ActionContext, BaseAction, action
from machines.core.signatures import Raises, Setting, ValueKind

__all__ = ["ActionContext", "BaseAction", "Raises", "Setting", "ValueKind", "action"]
