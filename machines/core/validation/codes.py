"""Codes: the one table of all problems. The reference and SARIF's rules are written from it."""

from collections.abc import Mapping

from machines.core.validation.problems import Code, Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# SM0: the file as a whole
DOES_NOT_LOAD = Code(
    "SM001", "does-not-load", ERROR,
    "The structure of the file is wrong, so it cannot be run at all.",
    "Mend this first; the other checks need a file that loads.",
)  # fmt: skip
ACTIONS_NOT_LOADED = Code(
    "SM002", "actions-not-loaded", ERROR,
    "A folder of custom actions is not there, or a file in it cannot be used.",
    "Mend the folder that actions_dir or --actions-dir names; it is sought beside the file, then"
    " in the working folder.",
)  # fmt: skip

# SM1: states
UNREACHABLE_STATE = Code(
    "SM101", "unreachable-state", WARNING,
    "No transitions lead from the initial state to this one.",
    "Add a transition to it, or remove the state.",
)  # fmt: skip
DEAD_END = Code(
    "SM102", "dead-end", WARNING,
    "The state is not final, and nothing ever happens in it: the machine stays there for ever.",
    "Mark it with final: true, or add a transition from it.",
)  # fmt: skip
NO_WAY_TO_FINAL = Code(
    "SM103", "no-way-to-final", INFO,
    "The file has final states, but none of them can be reached from this state.",
    "Add a transition that leads to a final state, if the machine is ever to finish.",
)  # fmt: skip

# SM2: events
UNHANDLED_EVENT = Code(
    "SM201", "unhandled-event", WARNING,
    "The event is declared, but no transition takes it, so it is always ignored.",
    "Add a transition with this event, or remove the declaration.",
)  # fmt: skip
UNDECLARED_EVENT = Code(
    "SM202", "undeclared-event", WARNING,
    "The file declares events, but not this one, and no action raises it.",
    "Declare it under events, or correct its name.",
)  # fmt: skip
UNHANDLED_RESULT = Code(
    "SM203", "unhandled-result", WARNING,
    "The file names an event for how an action ends, but the state does not handle that event.",
    "Add a transition with this event; or, if nothing is to follow, declare the event.",
)  # fmt: skip
UNHEARD_EVENT = Code(
    "SM204", "unheard-event", WARNING,
    "An event is sent to a machine of these files that never handles it.",
    "Add a transition with this event to the target's file, or correct the name.",
)  # fmt: skip

# SM3: transitions
SHADOWED_TRANSITION = Code(
    "SM301", "shadowed-transition", WARNING,
    "Earlier transitions always win, so this one is never taken.",
    "The first match in the file wins: give the earlier one a guard, or move this one up.",
)  # fmt: skip
GUARD_NEVER_HOLDS = Code(
    "SM302", "guard-never-holds", WARNING,
    "The guard is false whatever the context holds, so the transition is never taken.",
    "Compare with a key of the context, payload or event, or remove the transition.",
)  # fmt: skip
TIMER_NEVER_FIRES = Code(
    "SM303", "timer-never-fires", WARNING,
    "The state has always been left, or the machine has finished, before this time has passed.",
    "Make the time shorter, give the shorter timer a guard, or remove the transition.",
)  # fmt: skip
INTERRUPT_WITHOUT_EFFECT = Code(
    "SM304", "interrupt-without-effect", WARNING,
    "A self-loop does not leave its state, so it always waits for rest.",
    "Leave interrupt out, or add reenter: true to leave the state and enter it again.",
)  # fmt: skip

# SM4: loops
SPINNING_LOOP = Code(
    "SM401", "spinning-loop", WARNING,
    "The actions of a state loop back to it at once, with nothing that waits, works or looks: the"
    " machine spins until it is faulted.",
    "Add a sleep, name an interval with every:, or let the event lead to another state.",
)  # fmt: skip
HASTY_RETRY = Code(
    "SM402", "hasty-retry", WARNING,
    "Work that fails begins again at once, without end and without a delay.",
    "Use retry: {attempts: 5, delay: 2s}, or lead the error to a state that waits.",
)  # fmt: skip

# SM5: actions
UNKNOWN_ACTION = Code(
    "SM501", "unknown-action", ERROR,
    "There is no action of this type; at run time it raises error.",
    "python manage.py listactions shows the types; custom ones need actions_dir.",
)  # fmt: skip
UNKNOWN_SETTING = Code(
    "SM502", "unknown-setting", WARNING,
    "The type of action knows no such setting, so it has no effect.",
    "Correct the name, or remove it.",
)  # fmt: skip
WRONG_SETTING = Code(
    "SM503", "wrong-setting", ERROR,
    "A setting holds what its action cannot use; at run time it raises error.",
    "Write a value of the kind that the message names.",
)  # fmt: skip
MISSING_SETTING = Code(
    "SM504", "missing-setting", ERROR,
    "A setting that the action needs is missing or empty; at run time it raises error.",
    "Add the setting.",
)  # fmt: skip
UNKNOWN_CHOICE = Code(
    "SM505", "unknown-choice", ERROR,
    "The setting takes one of a few values, and this is none of them.",
    "Write one of the values that the message names.",
)  # fmt: skip
RETRY_WITHOUT_EFFECT = Code(
    "SM506", "retry-without-effect", WARNING,
    "The action cannot fail, so it is never tried again.",
    "Remove retry.",
)  # fmt: skip
REPETITION_WITHOUT_EFFECT = Code(
    "SM507", "repetition-without-effect", WARNING,
    "An action of a transition is performed once; only actions of a state repeat.",
    "Move the action to the state, or remove every or repeatable.",
)  # fmt: skip
UNREACHABLE_ACTION = Code(
    "SM508", "unreachable-action", WARNING,
    "The action before it ends the round, so this one is never performed.",
    "Move it up, or remove it.",
)  # fmt: skip

# SM6: names
UNSET_PLACEHOLDER = Code(
    "SM601", "unset-placeholder", WARNING,
    "Nothing in the file sets this name, so the placeholder stays as it is written.",
    "Set it under context (also what --initial-context brings), in a context_map or by an action;"
    " or give a default: {a|default:'x'}.",
)  # fmt: skip
UNSET_GUARD_NAME = Code(
    "SM602", "unset-guard-name", WARNING,
    "Nothing in the file sets this name, so the guard raises and counts as false.",
    "Set it under context (also what --initial-context brings), in a context_map or by an action;"
    " what an event brings is in payload.",
)  # fmt: skip

# SM7: bash
VALUE_AS_CODE = Code(
    "SM701", "value-as-code", WARNING,
    "A program is given a value as a part of its code: who can set the value can run commands.",
    "Hand the value over as an argument of its own, and read it in the code as \"$1\".",
)  # fmt: skip

CODES: Mapping[str, Code] = {
    value.code: value for value in tuple(globals().values()) if isinstance(value, Code)
}
