"""What holds for all tests: under ``CI=true`` nothing that needs a service may be skipped."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

MAY_NOT_SKIP = ("browser", "postgres", "acceptance")  # in CI: what they need is installed there

settings.register_profile("fuzz", max_examples=1_000, deadline=None)
settings.register_profile("default", deadline=None)  # two shared cores: any run may be slow once
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and _must_run(item):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"
    return report


def _must_run(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in MAY_NOT_SKIP)
