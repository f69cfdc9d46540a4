"""`lanner run` from its options on: settings are made, and whoever is asked does the rest."""

from __future__ import annotations

from functools import partial
from typing import Any

from lanner.cli.settings import Limits, settle
from lanner.framework.jobs import cores


def start(
    plugin: str | None,
    *,
    validated: tuple[str, ...],
    describe: str | None,
    describe_all: bool,
    fields_of: str | None,
    list_plugins: bool,
    asked: str | None,
    host: str | None,
    replay: tuple[str, ...],
    jobs: int | None,
    max_events: int | None,
    duration: float | None,
    dry_run: bool,
    executor: str,
    **options: Any,
) -> int:
    """Do it; gives the exit code. Raises `LannerError`."""
    limits = Limits(
        host=host,
        replay=", ".join(replay) if replay else None,
        max_events=max_events,
        duration=duration,
        dry_run=dry_run,
        executor=executor,
        recordings=replay,
        jobs=jobs or cores(),
    )
    needs_rules = not (list_plugins or asked is not None or fields_of is not None or validated)
    make = partial(settle, plugin, limits=limits, needs_rules=needs_rules, **options)
    settings = make()
    if list_plugins or asked is not None:
        from lanner.cli.plugins import list_all, show_one

        return list_all(settings) if asked is None else show_one(settings, asked)
    if fields_of is not None:
        from lanner.cli.show import show_source_fields

        return show_source_fields(settings.plugin.target, fields_of, as_json=settings.falco.json_output)
    if validated:
        from lanner.cli.validate import validate_files

        return validate_files(settings, validated)
    if describe_all or describe is not None:
        from lanner.cli.describe import describe_rules

        return describe_rules(settings, describe)
    from lanner.cli.run import run_plugin

    return run_plugin(settings, make)
