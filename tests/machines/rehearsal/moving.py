"""Machines whose steps are compared: how they move."""

from machines.rehearsal.answers import Answer
from tests.machines.rehearsal.machines import Case, Passed, Sent

MOVING = (
    Case(
        "guards branch, and one that raises counts as false",
        """
        initial_state: idle
        context: {n: 3}
        transitions:
          - {from: idle, to: high, event: go, guard: n > 5}
          - {from: idle, to: odd, event: go, guard: missing.key == 1}
          - {from: idle, to: low, event: go, guard: payload.x < n}
          - {from: low, to: idle, event: go}
        """,
        (Sent("go", {"x": 9}), Sent("go", {"x": 1}), Sent("go"), Sent("unheard_of")),
    ),
    Case(
        "context_map copies, and a payload that breaks its schema fails",
        """
        initial_state: idle
        events:
          order:
            context_map: {who: payload.user.name, none: payload.nothing}
            payload: {type: object, required: [user]}
        transitions:
          - {from: idle, to: idle, event: order}
        """,
        (
            Sent("order", {"user": {"name": "Ann"}}),
            Sent("order", {}),
            Sent("order", '{"user": {}}'),
        ),
    ),
    Case(
        "a self-loop goes on with its round and asks for another",
        """
        initial_state: counting
        context: {items: [1, 2, 3]}
        states:
          counting:
            actions:
              - {type: pop_from_list, store_as: last, success: again, empty: done}
              - {type: add_to_list, list_key: seen, value: "{last}"}
          done: {}
        transitions:
          - {from: counting, to: counting, event: again}
          - {from: counting, to: done, event: done}
        """,
    ),
    Case(
        "an internal transition and one that enters anew",
        """
        initial_state: open
        states:
          open:
            actions:
              - {type: add_to_list, list_key: entries, value: x}
        transitions:
          - from: open
            event: note
            actions: [{type: set_context, key: noted, value: "{event_data.payload}"}]
          - {from: open, to: open, event: redo, reenter: true}
        """,
        (Sent("note", {"a": 1}), Sent("redo"), Sent("redo")),
    ),
    Case(
        "automatic transitions wait for their guard",
        """
        initial_state: filling
        context: {level: 0}
        events: {fill: {context_map: {level: payload.level}}}
        transitions:
          - {from: filling, to: full, guard: level >= 2}
          - {from: full, to: spilled, guard: level >= 3}
        """,
        (Sent("fill", {"level": 1}), Sent("fill", {"level": 3})),
    ),
    Case(
        "the shortest timer fires, and a self-loop restarts only its own",
        """
        initial_state: waiting
        transitions:
          - {from: waiting, to: waiting, after: 40ms, guard: "tick == null"}
          - {from: waiting, to: over, event: timeout(0.1)}
          - {from: over, to: waiting, event: back}
        context: {tick: null}
        """,
        (Passed(1), Sent("back"), Passed(1)),
    ),
    Case(
        "a final state does its work, and what still waits is ignored",
        """
        initial_state: busy
        states:
          busy: {actions: [{type: bash, command: "sleep 0.2"}]}
          completed: {actions: [{type: set_context, key: closed, value: true}]}
        transitions:
          - {from: busy, to: completed, event: job_done}
          - {from: busy, to: busy, event: other}
        """,
        (Sent("late"), Passed(2)),
        {"bash": Answer(takes_seconds=0.2)},
    ),
    Case(
        "stop_machine skips the rest of the round",
        """
        initial_state: ready
        states:
          ready: {}
          a:
            actions:
              - {type: stop_machine}
              - {type: set_context, key: reached, value: true}
        transitions:
          - {from: ready, to: a, event: go}
        """,
        (Sent("go"),),
    ),
    Case(
        "a command that fails is tried again, and then it is an error",
        """
        initial_state: trying
        states:
          trying:
            actions:
              - type: bash
                command: exit 3
                retry: {attempts: 3, delay: 20ms}
                error_mappings: {3: bad_input}
          failed: {}
        transitions:
          - {from: trying, to: failed, event: bad_input}
        """,
        (Passed(5),),
        {"bash": Answer(exit_code=3)},
    ),
    Case(
        "what a command prints is kept",
        """
        initial_state: asking
        states:
          asking:
            actions:
              - type: bash
                argv: [echo, '{"a": [1]}']
                store_as: found
                parse: json
                success: told
          told: {}
        transitions:
          - {from: asking, to: told, event: told}
        """,
        (Passed(5),),
        {"bash": Answer(output='{"a": [1]}\n')},
    ),
    Case(
        "an error nobody handles is passed over, and the next action runs",
        """
        initial_state: a
        states:
          a:
            actions:
              - {type: bash, command: "exit 1"}
              - {type: send_event, target_machine: "not a name", event_type: x}
              - {type: no_such_type}
              - {type: set_context, key: reached, value: "{last_error_action}"}
        transitions: []
        """,
        (Passed(5),),
        {"bash": Answer(exit_code=1)},
    ),
    Case(
        "an interrupt stops work, others wait for rest",
        """
        initial_state: working
        states:
          working: {actions: [{type: bash, command: "sleep 30"}]}
          stopping: {actions: [{type: set_context, key: stopped, value: true}]}
        transitions:
          - {from: working, to: working, event: note}
          - {from: "*", to: stopping, event: halt}
          - {from: stopping, to: working, event: never}
        """,
        (Sent("note"), Sent("halt"), Sent("note")),
        {"bash": Answer(takes_seconds=30)},
    ),
    Case(
        "a timer interrupts work",
        """
        initial_state: working
        states:
          working: {actions: [{type: bash, command: "sleep 30"}]}
          late: {}
        transitions:
          - {from: working, to: late, after: 200ms}
        """,
        (Passed(6),),
        {"bash": Answer(takes_seconds=30)},
    ),
)
