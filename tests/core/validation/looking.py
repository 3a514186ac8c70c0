"""How the tests look at files: with the built-in types, and some made by hand."""

from collections.abc import Mapping

from machines.actions.registry import BUILT_IN
from machines.core.loading import load
from machines.core.signatures import Kind, Raises, Setting, Signature, ValueKind
from machines.core.validation import Problem, validate

BUILT_IN_SIGNATURES = {
    name: found.signature for name, found in BUILT_IN.items() if found.signature is not None
}

CUSTOM = Signature("custom", Kind.WORK, open=True)
TYPED = Signature(
    "typed",
    Kind.WORK,
    settings=tuple(
        Setting(kind.name.lower(), kind, aliases=(f"other_{kind.name.lower()}",))
        for kind in ValueKind
    ),
    raises=(Raises("typed", "success"),),
    sets=("typed_value",),
)
PARTLY = Signature(
    "partly",
    Kind.WORK,
    raises=(Raises("typed", "success"),),
    origin="partly_action.py",
)
SIGNATURES: Mapping[str, Signature] = {
    **BUILT_IN_SIGNATURES,
    "custom": CUSTOM,
    "typed": TYPED,
    "partly": PARTLY,
}


def problems(text: str, *others: str) -> list[Problem]:
    """The problems of a file that is looked at together with others."""
    definition = load(text, origin="file.yaml")
    peers = [load(other, origin=f"other{n}.yaml") for n, other in enumerate(others)]
    return list(validate(definition, SIGNATURES, peers))


def codes(text: str, *others: str) -> list[str]:
    """The codes of the problems of a file, in its order."""
    return [problem.code for problem in problems(text, *others)]
