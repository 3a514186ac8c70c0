"""A finding as lines of text, for tests that compare all of it."""

from machines.rehearsal.findings import Finding


def as_lines(finding: Finding) -> list[str]:
    """A finding as lines of text: what it is, and how to get there."""
    place = finding.place
    where = f"{place.line}:{place.column}: " if place.line else ""
    lines = [f"{where}{finding.severity}: {finding.message} [{finding.code}]"]
    if finding.path or finding.cycle:
        lines.append(f"    {' · '.join(finding.sequence) or 'from the start'}")
    if finding.cycle:
        again = [move.text for move in finding.cycle if move.shown]
        lines.append(f"    again and again: {' · '.join(again) or 'by itself'}")
    if finding.depends_on:
        lines.append(f"    depends on: {', '.join(finding.depends_on)}")
    return lines
