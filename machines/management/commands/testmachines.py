"""Run the tests that stand beside machines, with nothing started and nothing written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from jobqueue.console import Command as BaseCommand
from jobqueue.console import Exit

from machines.core.definition import Definition
from machines.core.errors import MachineError
from machines.management.rehearsing import existing_path, percent_argument
from machines.rehearsal import reports
from machines.rehearsal.coverage import Coverage, as_markdown, coverage_of
from machines.rehearsal.files import (
    TESTS_SUFFIX,
    Shelf,
    is_tests_file,
    machine_beside,
    tests_files,
)
from machines.rehearsal.scenarios import Verdict, run
from machines.runtime.manifest import read_manifest

FORMATS = ("text", "json", "junit")


class Command(BaseCommand):
    """Tests of ``worker.yaml`` stand in ``worker.tests.yaml`` beside it."""

    help = (
        "Run the tests of machines on a virtual clock: those of worker.yaml stand in"
        " worker.tests.yaml beside it. Nothing is started and nothing is written."
    )
    example = "testmachines examples --coverage"
    faults = (*BaseCommand.faults, MachineError)

    def add_arguments(self, parser: CommandParser) -> None:
        """See BaseCommand."""
        parser.add_argument(
            "what",
            nargs="*",
            metavar="FILE|FOLDER",
            type=Path,
            help="machines, files of tests or folders; none: the manifest's machines and examples",
        )
        parser.add_argument("-k", metavar="NAME", default="", help="only tests with NAME in theirs")
        parser.add_argument("--coverage", action="store_true", help="say what no test came by")
        parser.add_argument(
            "--fail-under",
            type=percent_argument,
            metavar="PERCENT",
            help="fail if a machine's coverage is lower",
        )
        parser.add_argument(
            "--diagram",
            type=Path,
            metavar="FILE",
            help="write the machines, painted, as Markdown; one machine as .mmd",
        )
        parser.add_argument("--actions-dir", type=Path, metavar="DIR", help="custom actions")
        parser.add_argument(
            "--format", choices=FORMATS, default="text", help="for people, programs or builds"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """See BaseCommand."""
        began_at = time.monotonic()
        what = [existing_path(path) for path in options["what"]] or _usual_places()
        shelf = Shelf(options["actions_dir"])
        verdicts, broken = self._run(_tests_in(what), shelf, options["k"].lower(), options)
        covers = options["coverage"] or options["diagram"] or options["fail_under"] is not None
        coverages = coverage_of(verdicts, _machines(what, shelf)) if covers else None
        self._print(verdicts, coverages, options)
        if options["diagram"]:
            _draw(options["diagram"], coverages or ())
        self.talk(f"{_counted(verdicts)} in {time.monotonic() - began_at:.2f} s")
        self._refuse(verdicts, broken, _under(coverages or (), options["fail_under"]))

    def _run(
        self, files: Iterable[Path], shelf: Shelf, wanted: str, options: Mapping[str, Any]
    ) -> tuple[list[Verdict], int]:
        """Run the tests of files; how each went, and how many files do not load."""
        verdicts: list[Verdict] = []
        broken = 0
        for file in files:
            try:
                scenarios = shelf.scenarios(file).scenarios
            except MachineError as error:
                self.stderr.write(str(error))
                broken += 1
                continue
            chosen = [one for one in scenarios if wanted in f"{file}: {one.name}".lower()]
            if chosen and options["format"] == "text":
                self.stdout.write(str(file))
            for scenario in chosen:
                types = shelf.types(*(Path(member.file) for member in scenario.cast))
                verdicts.append(run(scenario, str(file), types))
                if options["format"] == "text":
                    self._print_verdict(verdicts[-1])
        return verdicts, broken

    def _print_verdict(self, verdict: Verdict) -> None:
        name = verdict.scenario.name
        if verdict.failure is None:
            self.stdout.write(f"  {self.style.SUCCESS('passed')}  {name}")
            return
        self.stdout.write(f"  {self.style.ERROR('FAILED')}  {name}")
        for line in verdict.failure.located(verdict.origin).splitlines():
            self.stdout.write(f"    {line}")

    def _print(
        self,
        verdicts: Sequence[Verdict],
        coverages: Sequence[Coverage] | None,
        options: Mapping[str, Any],
    ) -> None:
        if options["format"] == "json":
            report = reports.as_json(verdicts, coverages)
            self.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        elif options["format"] == "junit":
            self.stdout.write(reports.as_junit(verdicts))
        elif options["coverage"]:
            for found in coverages or ():
                for line in reports.coverage_lines(found):
                    self.stdout.write(line)

    def _refuse(self, verdicts: Sequence[Verdict], broken: int, under: Sequence[str]) -> None:
        failed = sum(not verdict.passed for verdict in verdicts)
        why = [
            *([f"{_count(failed, 'test')} failed"] if failed else ()),
            *([f"{_count(broken, 'file')} of tests refused"] if broken else ()),
            *under,
        ]
        if why:
            raise CommandError("; ".join(why))
        if not verdicts:
            raise CommandError(
                f"there is no such test; those of worker.yaml stand in worker{TESTS_SUFFIX}",
                returncode=Exit.UNKNOWN,
            )


def _usual_places() -> list[Path]:
    """The machines of the manifest, and the examples."""
    manifest = Path(settings.SM_MANIFEST)
    named = [entry.file for entry in read_manifest(manifest).machines] if manifest.is_file() else []
    examples = Path(settings.SM_EXAMPLES_DIR)
    return [*named, *([examples] if examples.is_dir() else ())]


def _tests_in(what: Iterable[Path]) -> list[Path]:
    """The files of tests, each once however it is spelled."""
    found: dict[Path, Path] = {}
    for path in tests_files(what):
        found.setdefault(path.resolve(), path)
    return list(found.values())


def _machines(what: Iterable[Path], shelf: Shelf) -> dict[str, Definition]:
    """The machines whose coverage is asked for, tested or not."""
    found: dict[str, Definition] = {}
    for path in what:
        machine = machine_beside(path) if is_tests_file(path) else path
        if machine is not None and machine.is_file():
            found[str(machine)] = shelf.definition(machine)
    return found


def _under(coverages: Iterable[Coverage], least: float | None) -> list[str]:
    if least is None:
        return []
    return [
        f"{found.file}: coverage of {found.percent:g} % is under {least:g} %"
        for found in coverages
        if found.percent < least
    ]


def _draw(path: Path, coverages: Sequence[Coverage]) -> None:
    if path.suffix != ".mmd":
        path.write_text(as_markdown(coverages))
    elif len(coverages) == 1:
        path.write_text(coverages[0].drawing())
    else:
        raise CommandError(
            f"{path}: an .mmd file holds one machine, and here are {len(coverages)};"
            f" write {path.with_suffix('.md')} instead",
            returncode=Exit.USAGE,
        )


def _counted(verdicts: Sequence[Verdict]) -> str:
    passed = sum(verdict.passed for verdict in verdicts)
    failed = len(verdicts) - passed
    return f"{passed} passed" + (f", {failed} failed" if failed else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
