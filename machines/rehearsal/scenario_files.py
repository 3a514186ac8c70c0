"""Reading scenario files: ``tests:`` and what stands in each test, with line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from machines.core.errors import DefinitionError, Fault, MachineError
from machines.core.loading.faults import Faults
from machines.core.loading.nodes import ListNode, MapNode, ScalarNode
from machines.core.loading.scan import scan
from machines.core.loading.values import Value
from machines.rehearsal.scenario import Cast, Scenario, ScenarioFile
from machines.rehearsal.scenario_answers import read_answers
from machines.rehearsal.scenario_steps import read_jobs, read_steps

LoadMachine = Callable[[str], Cast]

_KEYS = ("name", "description", "machine", "machines", "context", "jobs", "answers", "steps")
_EXAMPLE = "write tests: and below it a list, each - name: …"
_REWORDED = {  # what is said of a file that should be a machine
    "the file is empty": f"the file is empty; {_EXAMPLE}",
    "the top level must be": f"the top level must be a mapping; {_EXAMPLE}",
}


def read_scenarios(
    text: str | bytes, *, origin: str, machine: str | None, load_machine: LoadMachine
) -> ScenarioFile:
    """The tests that stand in ``text``; raise one DefinitionError with all faults it has.

    ``machine`` is the file that is meant where a test names none. ``load_machine`` loads the
    machine of a file, named as a test names it, and raises MachineError or OSError.
    """
    faults = Faults(origin)
    try:
        document = scan(text, faults)
    except DefinitionError as error:
        raise DefinitionError(origin, map(_reworded, error.faults)) from None
    root = Value(document.root, "", faults)
    fields = root.fields(("tests",), "a mapping")
    if "tests" not in fields:
        root.fault(f"tests is missing; {_EXAMPLE}")
        faults.raise_any()
    reader = _Reader(machine, load_machine)
    tests = fields["tests"].items("a list of tests")
    found = [reader.scenario(item) for item in tests]
    _check_names(tests)
    faults.raise_any()
    return ScenarioFile(origin, tuple(scenario for scenario in found if scenario is not None))


class _Reader:
    """Reads the tests of one file; each machine is loaded once."""

    def __init__(self, machine: str | None, load_machine: LoadMachine) -> None:
        self._machine = machine
        self._load_machine = load_machine
        self._loaded: dict[str, Cast | Exception] = {}

    def scenario(self, value: Value) -> Scenario | None:
        fields = value.fields(_KEYS, "a test, such as {name: …, steps: […]},")
        name = fields["name"].text("the name of the test") if "name" in fields else None
        if "name" not in fields:
            value.fault("name is missing; say what the machine does, such as name: a job is done")
        cast = self._cast(value, fields)
        if not cast or name is None:
            return None
        context = fields["context"].json_mapping("a mapping") if "context" in fields else {}
        jobs = read_jobs(fields["jobs"]) if "jobs" in fields else ()
        lines = read_answers(fields["answers"], cast) if "answers" in fields else ()
        steps = read_steps(fields["steps"], cast) if "steps" in fields else ()
        if "steps" not in fields:
            value.fault("steps is missing; say what happens, such as [{expect: {state: waiting}}]")
        return Scenario(name, value.place, cast, context, jobs, lines, steps)

    def _cast(self, value: Value, fields: Mapping[str, Value]) -> tuple[Cast, ...]:
        """The machines that take part; none after a fault."""
        if "machine" in fields and "machines" in fields:
            fields["machines"].fault("machine stands here too; keep one of the two")
        named = fields.get("machines") or fields.get("machine")
        if named is None and self._machine is None:
            value.fault("machine is missing; name the file to test, such as machine: worker.yaml")
            return ()
        if named is None:
            members = [self._member(value, self._machine)]
        else:
            members = [self._member(one, one.text("a file")) for one in _files(named)]
        found = tuple(member for member in members if member is not None)
        names = [member.name for member in found]
        if len(set(names)) < len(names):
            (named or value).fault(f"two machines have one name: {', '.join(names)}")
        return found if len(found) == len(members) else ()

    def _member(self, value: Value, file: str | None) -> Cast | None:
        if file is None:
            return None
        if file not in self._loaded:
            self._loaded[file] = self._load(file)
        loaded = self._loaded[file]
        if isinstance(loaded, Exception):
            value.fault(_why_not_loaded(file, loaded))
            return None
        return loaded

    def _load(self, file: str) -> Cast | Exception:
        try:
            return self._load_machine(file)
        except (MachineError, OSError) as error:
            return error


def _files(value: Value) -> list[Value]:
    return value.items() if isinstance(value.node, ListNode) else [value]


def _why_not_loaded(file: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no file {file!r}; it is sought beside this one"
    return f"{file!r} does not load: {error}"


def _check_names(tests: Iterable[Value]) -> None:
    lines: dict[str, int] = {}
    for test in tests:
        for name in _names(test):
            if name.text in lines:
                test.faults.add(
                    name.place,
                    f"{test.path}.name: the test in line {lines[name.text]} has this name too;"
                    " tell them apart",
                )
            lines.setdefault(name.text, name.place.line)


def _names(test: Value) -> Iterable[ScalarNode]:
    pairs = test.node.pairs if isinstance(test.node, MapNode) else ()
    return (value for key, value in pairs if key.text == "name" and isinstance(value, ScalarNode))


def _reworded(fault: Fault) -> Fault:
    for beginning, message in _REWORDED.items():
        if fault.message.startswith(beginning):
            return replace(fault, message=message)
    return fault
