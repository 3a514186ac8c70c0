"""What machines do: built-in actions, and the base of an author's own.

from machines.actions import BaseAction, action
"""

from machines.actions.custom import ActionContext, BaseAction, action

__all__ = ["ActionContext", "BaseAction", "action"]
