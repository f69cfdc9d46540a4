"""Pytest plugin: the fixture `falco_rules`, and explanations in failed assertions.

A conftest.py enables it: `pytest_plugins = ["lanner.testing.pytest_plugin"]`. It is not an entry point, because pytest would then load it
in every run and rewrite the whole package. Rules are imported when a test uses them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator
    from pathlib import Path

    from lanner.sdk.authoring.plugin import Plugin
    from lanner.testing.rule_files import Rules


@pytest.fixture(scope="session")
def _falco_rules_loaded() -> dict[Any, Rules]:
    return {}


@pytest.fixture
def falco_rules(request: pytest.FixtureRequest, _falco_rules_loaded: dict[Any, Rules]) -> Callable[..., Rules]:
    """`falco_rules("my_rules.yaml").replay(events)`: run rules files, relative to the test's file, on events.

    Without a file: the plugin's own rules. Options: `plugin` (a class, or its name for `lanner run`), `config`, `enable` (disabled rules to
    try as well). Files are read once per session.
    """

    def load(
        *files: str | Path, plugin: str | type[Plugin] = "docker", config: str | dict[str, Any] = "", enable: Collection[str] = ()
    ) -> Rules:
        from lanner.testing.rule_files import Rules

        paths = [str(request.path.parent / file) for file in files]
        key = (*paths, plugin, repr(config), *sorted(enable))
        if key not in _falco_rules_loaded:
            _falco_rules_loaded[key] = Rules(*paths, plugin=plugin, config=config, enable=enable)
        return _falco_rules_loaded[key]

    return load


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Add the explanation of the last queried rule to a failed assertion: `assert result.fired("My rule")`."""
    report = (yield).get_result()
    module = sys.modules.get("lanner.testing.replayed")
    if module is None or call.when != "call":
        return
    asked, module.ReplayResult.asked = module.ReplayResult.asked, None
    if asked is not None and call.excinfo is not None and call.excinfo.errisinstance(AssertionError):
        replayed, rule, alerts = asked
        report.sections.append(("Falco rules", replayed.why(rule, alerts[0].event if alerts else None)))
