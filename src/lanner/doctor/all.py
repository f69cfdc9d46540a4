"""All checks of a setup, in the order in which users fix problems: configuration, engine, rules, outputs; then the machine.

The checks of the machine do not need the rest of Lanner, so they can explain why the other checks fail to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.doctor import machine
from lanner.doctor.results import problem, run
from lanner.sdk.authoring.checks import Check
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.doctor.results import Result
    from lanner.doctor.setup import SetupChecks


def look_at_setup(setup: SetupChecks) -> list[Result]:
    """Return the results of all checks. The configuration and then the plugin come first: the others depend on them."""
    results = run([Check("configuration", setup.look_at_configuration)])
    results += run([Check("plugin", setup.look_at_plugin)])
    return results + run([*_plugin_checks(setup), *_other_checks(setup)])


def look_at_machine() -> list[Result]:
    """Return the checks of Python, the native module and other programs on this machine."""
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


def _plugin_checks(setup: SetupChecks) -> list[Check]:
    """Return the checks that the plugin declares."""
    if setup.plugin is None:
        return []
    try:
        return list(setup.plugin.checks())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
        from lanner.sdk.hosting.failures import plugin_failure  # imports the native module, which may fail to load

        failure = error if isinstance(error, LannerError) else plugin_failure(plugin_info(type(setup.plugin)).name, "checks", error)
        return [Check("checks of the plugin", lambda: [problem(str(failure), "Correct its method `checks`")])]


def _other_checks(setup: SetupChecks) -> Iterator[Check]:
    from lanner.doctor import output_checks, storage

    yield Check("rules", setup.look_at_rules)
    if setup.read is not None:
        falco = setup.read.falco
        yield Check("outputs", lambda: output_checks.look_at_outputs(falco))
        yield Check("disk", lambda: storage.look_at_disk(falco))
        if (info := setup.info) is not None and info.resumes:
            yield Check("position", lambda: storage.look_at_state(falco, info))
        yield Check("web server", lambda: output_checks.look_at_webserver(falco))
