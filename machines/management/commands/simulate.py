"""Play machines on a virtual clock, with nothing started and nothing written."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit, count_argument, json_argument, time_argument

from machines.core.errors import MachineError
from machines.management.rehearsing import existing_file, seconds_argument
from machines.rehearsal.chance import Chance
from machines.rehearsal.files import Shelf, is_tests_file
from machines.rehearsal.happenings import Happenings, read_happenings
from machines.rehearsal.rehearsal import Rehearsal, Restless, name_of
from machines.rehearsal.scenario import Cast
from machines.rehearsal.script import Script
from machines.rehearsal.simulation import MAX_SECONDS, MAX_STEPS, Limits, tell
from machines.rehearsal.stage import NOON, Stage, Usually
from machines.rehearsal.story import (
    Entry,
    EventSent,
    LineLogged,
    NotTaken,
    StepTaken,
    assumptions,
)

COLUMNS = ("seq", "time", "event", "source", "target", "guard", "status")
WORK_TAKES = timedelta(seconds=1)  # so that time passes in a machine that works all the time


class Command(BaseCommand):
    """Nothing runs: commands, requests and custom actions are answered for."""

    help = (
        "Play machines on a virtual clock. Nothing is started and nothing is written: what an"
        " action would do outside is answered by a script, or as usual."
    )
    example = "simulate examples/simple_worker/config/worker.yaml --events events.yaml"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="YAML files")
        parser.add_argument("--events", type=Path, metavar="FILE", help="what happens, and when")
        parser.add_argument(
            "--seed", type=int, metavar="N", help="let chance choose; the same N, the same story"
        )
        parser.add_argument(
            "--duration",
            type=seconds_argument,
            default=MAX_SECONDS,
            metavar="TIME",
            help="of virtual time, such as 90 or 10m; 1h",
        )
        parser.add_argument(
            "--limit", type=count_argument, default=MAX_STEPS, metavar="N", help="of steps; 1000"
        )
        parser.add_argument("--initial-context", type=json_argument, default={}, metavar="JSON")
        parser.add_argument(
            "--start", type=time_argument, default=NOON, metavar="T", help="what the clock shows"
        )
        parser.add_argument("--actions-dir", type=Path, metavar="DIR", help="custom actions")
        self.add_format(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        if not isinstance(options["initial_context"], dict):
            raise CommandError("--initial-context must be a JSON object", returncode=Exit.USAGE)
        shelf = Shelf(options["actions_dir"])
        files = [existing_file(path) for path in options["files"] if not is_tests_file(path)]
        if not files:
            raise CommandError(
                "these are tests of machines; name a machine, or run testmachines",
                returncode=Exit.UNKNOWN,
            )
        types = shelf.types(*files)
        signatures = types.signatures()
        definitions = [(path, shelf.definition(path)) for path in files]
        cast = [
            Cast(one, str(path), name_of(one, str(path)), signatures) for path, one in definitions
        ]
        happenings = _happenings(options["events"], cast)
        seed = options["seed"]
        chance = None if seed is None else Chance(seed)
        rehearsal = Rehearsal(
            Stage(
                types,
                now=options["start"],
                script=Script(happenings.lines),
                guesses=chance or Usually(),
                work_takes=WORK_TAKES,
            )
        )
        for member in cast:
            rehearsal.add(member.definition, member.name)
        limits = Limits(options["duration"], options["limit"])
        try:
            rehearsal.begin(options["initial_context"])
            ending = tell(rehearsal, happenings.events, limits, chance)
        except Restless:
            self._print(rehearsal, options)
            raise
        self._print(rehearsal, options)
        self.talk(ending)
        self._refuse_faulted(rehearsal)

    def _print(self, rehearsal: Rehearsal, options: Mapping[str, Any]) -> None:
        story = rehearsal.stage.story
        several = len(rehearsal.players) > 1
        steps = [entry for entry in story if isinstance(entry, StepTaken)]
        shown = steps[: options["limit"]]
        if options["format"] == "json":
            rows = [step.as_json() for step in shown]
        else:
            rows = [_for_people(step, rehearsal.began_at) for step in shown]
        columns = ("machine", *COLUMNS) if several else COLUMNS
        self.print_rows(rows, columns, options, nothing="no steps")
        self._talk_of(story, rehearsal.began_at, several=several)

    def _talk_of(self, story: Sequence[Entry], began_at: datetime, *, several: bool) -> None:
        """Say what is no step: lines, events sent and not taken, and what was assumed."""
        for entry in story:
            if isinstance(entry, LineLogged | EventSent) or (
                isinstance(entry, NotTaken) and entry.outside
            ):
                who = f"{entry.machine}: " if several else ""
                self.talk(f"{_time(entry, began_at)}  {who}{entry}")
        for (machine, state, kind, answer), count in assumptions(story).items():
            who = f"{machine}: " if several else ""
            times = "" if count == 1 else f", {count} times"
            self.talk(f"assumed: {who}{kind} in {state!r} answered {answer}{times}")

    def _refuse_faulted(self, rehearsal: Rehearsal) -> None:
        faults = [
            f"{player.name} is faulted: {player.fault}"
            for player in rehearsal.players.values()
            if player.status == "faulted"
        ]
        if faults:
            raise CommandError("\n".join(faults))


def _happenings(path: Path | None, cast: Sequence[Cast]) -> Happenings:
    if path is None:
        return Happenings()
    return read_happenings(existing_file(path).read_bytes(), origin=str(path), cast=cast)


def _for_people(step: StepTaken, began_at: datetime) -> dict[str, Any]:
    return {**step.as_json(), "time": _time(step, began_at), "status": step.status}


def _time(entry: Entry, began_at: datetime) -> str:
    return f"+{(entry.at - began_at).total_seconds():g} s"
