"""All checks of a set-up, in the order in which one mends things: what is configured, the engine, rules, outputs; and of the machine.

The second half needs nothing of Lanner, so that it can tell why the first half does not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.doctor import machine
from lanner.doctor.results import problem, run
from lanner.sdk.checks import Check
from lanner.sdk.errors import LannerError
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.doctor.results import Result
    from lanner.doctor.setup import SetUp
    from lanner.sdk.checks import Finding


def look_at_setup(setup: SetUp) -> list[Result]:
    """What is configured first, as the others depend on it."""
    first = run([Check("configuration", lambda: _in_turn(setup.look_at_configuration(), setup.look_at_plugin()))])
    return first + run([*_plugin_checks(setup), *_other_checks(setup)])


def look_at_machine() -> list[Result]:
    """What Lanner stands on, and who its neighbours are."""
    return run(
        [
            Check("clock", machine.look_at_clock),
            Check("limits", machine.look_at_limits),
            Check("native module", machine.look_at_native_module),
            Check("Python library", machine.look_at_python),
            Check("Falco", machine.look_at_falco),
            Check("sysdig", machine.look_at_sysdig),
        ]
    )


def _plugin_checks(setup: SetUp) -> list[Check]:
    """The checks that the plugin itself declares."""
    if setup.plugin is None:
        return []
    try:
        return list(setup.plugin.checks())
    except Exception as error:  # noqa: BLE001 - plugin code may raise anything
        from lanner.sdk.hosting import plugin_failure  # it needs the native module, which may not load

        failure = error if isinstance(error, LannerError) else plugin_failure(plugin_info(type(setup.plugin)).name, "checks", error)
        return [Check("plugin", lambda: [problem(str(failure), "Correct its method `checks`")])]


def _other_checks(setup: SetUp) -> Iterator[Check]:
    from lanner.doctor import alerts, storage

    yield Check("rules", setup.look_at_rules)
    if setup.read is not None:
        falco = setup.read.falco
        yield Check("outputs", lambda: alerts.look_at_outputs(falco))
        yield Check("disk", lambda: storage.look_at_disk(falco))
        yield Check("web server", lambda: alerts.look_at_webserver(falco))


def _in_turn(*all_findings: Iterable[Finding]) -> Iterator[Finding]:
    for findings in all_findings:
        yield from findings
