"""Machines whose steps are compared: what they do."""

from machines.rehearsal.answers import Answer
from tests.machines.rehearsal.machines import Case, Job, Passed, Sent

ACTING = (
    Case(
        "a machine that finds no job idles until there is one",
        """
        initial_state: waiting
        states:
          waiting:
            actions:
              - {type: log, message: looking}
              - {type: check_database_queue, job_type: work}
          working:
            actions:
              - {type: set_context, key: last, value: "{n}"}
              - {type: complete_job, success: done}
        transitions:
          - {from: waiting, to: waiting, event: no_jobs}
          - {from: waiting, to: waiting, event: poke}
          - {from: waiting, to: working, event: new_job, guard: current_job.n > 0}
          - {from: working, to: waiting, event: done}
        """,
        (Sent("poke"), Job("other"), Job("work", {"n": 4}), Job("work", {"n": 5}), Sent("poke")),
    ),
    Case(
        "jobs are made, failed and refused",
        """
        initial_state: making
        states:
          making:
            actions:
              - {type: create_job, job_type: part, job_id: p1, data: {a: 1}}
              - {type: claim_job, job_id: p1}
              - {type: set_context, key: a, value: "{a}"}
              - {type: fail_job, reason: broken}
              - {type: claim_job, job_id: p1}
              - {type: complete_job, job_id: p1, error: refused}
          refused: {}
        transitions:
          - {from: making, to: refused, event: refused}
          - {from: making, to: making, event: claimed}
          - {from: making, to: making, event: already_claimed}
        """,
    ),
    Case(
        "a machine waits for the jobs that it made",
        """
        initial_state: making
        context: {spawned_jobs: [part, lost]}
        states:
          making:
            actions:
              - {type: create_job, job_type: part, job_id: part, success: made}
          waiting: {actions: [{type: wait_for_jobs}]}
          working:
            actions: [{type: check_database_queue}, {type: complete_job, success: done}]
          over: {}
        transitions:
          - {from: making, to: waiting, event: made}
          - {from: waiting, to: over, event: all_jobs_complete}
          - {from: waiting, to: working, event: work, interrupt: true}
          - {from: working, to: waiting, event: done}
        """,
        (Sent("work"), Sent("unknown")),
    ),
    Case(
        "sleep waits and goes on with what is behind it",
        """
        initial_state: a
        states:
          a:
            actions:
              - {type: sleep, duration: 0.1, success: rested}
              - {type: set_context, key: after, value: 1}
        transitions:
          - {from: a, to: a, event: rested}
          - {from: a, to: a, event: poke}
        metadata: {max_instant_steps: 50}
        """,
        (),
    ),
    Case(
        "an action that repeats keeps its own time",
        """
        initial_state: a
        states:
          a: {actions: [{type: add_to_list, list_key: items, value: 1, every: 50ms}]}
          b: {}
        transitions:
          - {from: a, to: b, guard: len(items) >= 3}
        """,
        (Passed(5),),
    ),
    Case(
        "a cycle faults the machine",
        """
        initial_state: ready
        metadata: {max_instant_steps: 20}
        states:
          ready: {}
          a: {actions: [{type: set_context, key: k, value: 1, success: go}]}
          b: {actions: [{type: set_context, key: k, value: 2, success: go}]}
        transitions:
          - {from: ready, to: a, event: begin}
          - {from: a, to: b, event: go}
          - {from: b, to: a, event: go}
        """,
        (Sent("begin"),),
    ),
    Case(
        "events are checked for and cleared",
        """
        initial_state: busy
        states:
          busy: {actions: [{type: bash, command: "sleep 0.5", success: next}]}
          looking:
            actions:
              - {type: check_events, event_types: [wanted]}
              - {type: clear_events, event_types: [old]}
        transitions:
          - {from: busy, to: looking, event: next}
          - {from: looking, to: looking, event: wanted}
          - {from: looking, to: looking, event: no_events}
        """,
        (Sent("old"), Sent("wanted"), Sent("old"), Passed(2)),
        {"bash": Answer(takes_seconds=0.5)},
    ),
    Case(
        "two machines send each other events",
        """
        initial_state: serving
        metadata: {machine_name: machine}
        context: {n: 0}
        states:
          serving:
            actions:
              - {type: send_event, target: wall, event: ball, job_id: j, payload: {n: "{n}"}}
          waiting: {}
        events: {back: {context_map: {n: payload.n}}}
        transitions:
          - {from: serving, to: waiting, event: event_sent}
          - {from: waiting, to: serving, event: back, guard: event.job_id == null and n > 1}
          - {from: waiting, to: waiting, event: back, guard: event.job_id == 'j'}
        """,
        (Sent("back", {"n": 1}), Sent("back", {"n": 5})),
        other="""
        name: wall
        metadata: {machine_name: wall}
        initial_state: up
        transitions:
          - from: up
            to: up
            event: ball
            actions:
              - type: send_event
                target_machine: machine
                event_type: back
                job_id: "{event_data.job_id}"
                payload: "{event_data.payload}"
                fire_and_forget: true
        """,
    ),
    Case(
        "a machine looks at another",
        """
        initial_state: ready
        states:
          ready: {}
          looking:
            actions:
              - {type: check_machine_state, target: wall, expected_states: down}
              - {type: check_machine_state, target: wall, expected_states: [up, down]}
          seen: {}
        transitions:
          - {from: looking, to: looking, event: unexpected_state}
          - {from: looking, to: seen, event: in_expected_state}
          - {from: ready, to: looking, event: go}
        """,
        (Sent("go"),),
        other="""
        metadata: {machine_name: wall}
        initial_state: up
        states: [up, down]
        """,
    ),
    Case(
        "a list of jobs is kept, and tracked jobs are late",
        """
        initial_state: ready
        states:
          ready: {}
          listing:
            actions:
              - {type: create_job, job_type: part, job_id: p, data: {n: 1}, machine_type: saw}
              - {type: create_job, job_type: part, job_id: p, error: taken}
              - {type: get_pending_jobs, job_type: part, success: listed}
              - {type: get_pending_jobs, job_type: none, store_as: none}
              - {type: fail_job, job_id: unknown, error: lost}
              - {type: complete_job, error: lost}
              - {type: claim_job, job_id: p, success: again}
              - {type: complete_job, job_id: p, success: again}
              - {type: complete_job, job_id: p, error: lost}
              - {type: create_job, job_type: part, job_id: q}
              - {type: wait_for_jobs, tracked_jobs_key: wanted, pending: late}
              - {type: wait_for_jobs, tracked_jobs_key: nobody}
              - {type: wait_for_jobs, tracked_jobs_key: number, error: lost}
          over: {}
        context: {wanted: [{job_id: p}, q, gone], number: 5}
        transitions:
          - {from: ready, to: listing, event: go}
          - {from: listing, to: listing, event: taken}
          - {from: listing, event: [listed, again, lost, late, no_jobs_tracked, no_jobs]}
          - {from: listing, to: over, event: stop}
        """,
        (Sent("go"), Sent("stop")),
        keeps=("wanted_since",),
    ),
    Case(
        "a wait for jobs is over when its time is",
        """
        initial_state: ready
        states:
          ready: {}
          making: {actions: [{type: create_job, job_type: part, job_id: slow, success: made}]}
          waiting: {actions: [{type: wait_for_jobs, timeout: 100ms, timeout_event: late}]}
          over: {}
        context: {spawned_jobs: slow}
        transitions:
          - {from: ready, to: making, event: go}
          - {from: making, to: waiting, event: made}
          - {from: waiting, to: over, event: late}
        """,
        (Sent("go"), Passed(1)),
    ),
    Case(
        "a long loop takes several turns",
        """
        initial_state: a
        context: {n: 0, items: []}
        states:
          a: {actions: [{type: add_to_list, list_key: items, value: 1, success: more}]}
          b: {actions: [{type: add_to_list, list_key: items, value: 2, success: more}]}
          over: {}
        transitions:
          - {from: a, to: over, event: more, guard: len(items) >= 99}
          - {from: a, to: b, event: more}
          - {from: b, to: a, event: more}
        """,
    ),
    Case(
        "a context that would be too large is an error",
        """
        initial_state: a
        context: {filling: fill}
        events: {put: {context_map: {big: payload.big}}}
        states: {a: {}, b: {}, full: {}}
        transitions:
          - {from: a, to: b, event: put}
          - {from: b, to: full, event: error}
        """.replace("filling: fill", "filling: " + "x" * 150_000),
        (Sent("put", {"big": "y" * 150_000}),),
    ),
)
