"""`lanner run` with its options: create settings, then call the requested function."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from lanner.cli.messages import say
from lanner.cli.runs.settings import Limits, settle
from lanner.host.jobs import count_cores
from lanner.sdk.errors import UsageError

if TYPE_CHECKING:
    from lanner.cli.runs.settings import Settings


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
    from_start: bool,
    reload: bool,
    report: str | None,
    executor: str,
    names_only: bool,
    verbose: bool,
    markdown: bool,
    seconds: int,
    pidfile: str | None,
    unbuffered: bool,  # noqa: ARG001 - available alerts are written at once
    enabled: tuple[str, ...],
    disabled: tuple[str, ...],
    version: bool,
    support: bool,
    page_size: bool,
    config_schema: bool,
    rule_schema: bool,
    ignored_events: bool,
    list_events: bool,
    layout: str | None,
    **options: Any,
) -> int:
    """Run the command and return its exit code. Raises `LannerError`."""
    if config_schema or rule_schema or page_size:
        from lanner.cli.runs.support import show_config_schema, show_page_size, show_rule_schema

        return show_config_schema() if config_schema else show_rule_schema() if rule_schema else show_page_size()
    if ignored_events or list_events:
        raise UsageError(f"{'-i' if ignored_events else '--list-events'} is about system calls, which Lanner does not read: use falco")
    if markdown and layout is not None:
        raise UsageError("--markdown and --format exclude each other: leave out --markdown")
    shown = "markdown" if markdown else layout
    if shown == "markdown" and fields_of is None and layout is not None:
        raise UsageError("--format markdown is for --list: alerts are text or json")
    limits = Limits(
        host=host,
        replay=", ".join(replay) if replay else None,
        max_events=max_events,
        duration=duration or seconds or None,
        dry_run=dry_run,
        executor=executor,
        recordings=replay,
        jobs=jobs or count_cores(),
        from_start=from_start,
        reload=reload,
        report=report,
    )
    if reload:
        from lanner.host.plugin_files import without_bytecode

        without_bytecode()
    needs_rules = not (version or list_plugins or asked is not None or fields_of is not None or validated)
    make = partial(settle, plugin, limits=limits, needs_rules=needs_rules, layout=None if layout == "markdown" else layout, **options)
    settings = make()
    if version:
        from lanner.cli.runs.support import show_version

        return show_version(settings)
    if list_plugins or asked is not None:
        from lanner.cli.runs.plugin_list import list_all, show_one

        return list_all(settings) if asked is None else show_one(settings, asked)
    if fields_of is not None:
        from lanner.cli.runs.field_list import list_fields

        form = shown or ("json" if settings.falco.json_output else "text")
        return list_fields(settings, fields_of, layout=form, verbose=verbose, names_only=names_only)
    if validated:
        from lanner.cli.runs.validate import validate_files

        return validate_files(settings, validated)
    if describe_all or describe is not None:
        from lanner.cli.runs.describe import describe_rules

        return describe_rules(settings, describe)
    if support:
        from lanner.cli.runs.support import show_support

        return show_support(settings)
    if not replay:
        check_sources(settings, enabled, disabled)
    if pidfile and not dry_run:
        from lanner.cli.runs.support import write_pid

        write_pid(pidfile)
    from lanner.cli.runs.run import run_plugin

    begin = time.monotonic()
    code = run_plugin(settings, make)
    if verbose:
        say(f"elapsed time: {time.monotonic() - begin:.3f} s")
    return code


def check_sources(settings: Settings, enabled: tuple[str, ...], disabled: tuple[str, ...]) -> None:
    """Raise `UsageError` if --enable-source and --disable-source leave nothing to watch, or name an unknown source."""
    if not enabled and not disabled:
        return
    if enabled and disabled:
        raise UsageError("--enable-source and --disable-source exclude each other: use one of them")
    info = settings.infos()[0]
    for each in (*enabled, *disabled):
        if each not in {"syscall", info.event_source}:
            raise UsageError(f"no event source {each!r}: the plugin {info.name} has {info.event_source}")
    if "syscall" in enabled:
        raise UsageError("the event source syscall cannot be enabled: Lanner does not read system calls; use falco")
    if info.event_source in disabled:
        raise UsageError(f"--disable-source {info.event_source} leaves nothing to watch: leave it out")
