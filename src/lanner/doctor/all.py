"""All checks of a set-up, in the order in which one mends things: what is configured, the engine, rules, outputs; and of the machine.

The second half needs nothing of Lanner, so that it can tell why the first half does not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.doctor import machine
from lanner.doctor.check import Check, run
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.docker.endpoint import Endpoint
    from lanner.doctor.check import Result
    from lanner.doctor.setup import SetUp
    from lanner.sdk.diagnosis import Finding


def look_at_setup(setup: SetUp) -> list[Result]:
    """What is configured first, as the others depend on it."""
    first = run([Check("configuration", lambda: _in_turn(setup.look_at_configuration(), setup.look_at_plugin()))])
    return first + run([*_engine_checks(setup), *_other_checks(setup)])


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


def _engine_checks(setup: SetUp) -> Iterator[Check]:
    """Of the Docker plugin alone: others have engines of their own kind, or none."""
    from lanner.docker.plugin import Docker

    if not isinstance(setup.plugin, Docker):
        return
    try:
        endpoints = [target.endpoint for target in setup.plugin.targets()]
    except LannerError:
        return  # look_at_plugin has told it
    if cursor := setup.plugin.config.cursor:
        from lanner.doctor import storage

        yield Check("cursor", lambda: storage.look_at_cursor(cursor))
    for endpoint in endpoints:
        yield from _engine("engine" if len(endpoints) == 1 else f"engine {endpoint}", endpoint)


def _engine(name: str, endpoint: Endpoint) -> Iterator[Check]:
    from lanner.doctor import engine

    yield Check(f"{name}: rights", lambda: engine.look_at_socket(endpoint))
    yield Check(f"{name}: answer", lambda: engine.look_at_engine(endpoint))
    yield Check(f"{name}: clock", lambda: engine.look_at_clock(endpoint))


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
