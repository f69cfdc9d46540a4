"""`lanner run` with its options: create settings, then call the requested function."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from lanner.cli.messages import say
from lanner.cli.runs.settings import Limits, Options, settle
from lanner.config.sink_blocks import configured_sinks
from lanner.host.jobs import count_cores
from lanner.sdk.errors import UsageError
from lanner.sinks.stdout import STDOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.cli.runs.settings import Settings


def start(plugin: str | None, **given: Any) -> int:
    """Run the command with these options and return its exit code. Raises `LannerError`."""
    options = Options(**given)
    if options.config_schema or options.rule_schema or options.page_size:
        return _show_constant(options)
    _check_options(options)
    if options.reload:
        from lanner.host.plugin_files import without_bytecode

        without_bytecode()
    make = partial(settle, plugin, options, _limits(options), needs_rules=not (options.asks or options.validated))
    settings = make()
    _check_format(settings, options)
    if show := _find_answer(settings, options):
        return show()
    if not options.replay:
        check_sources(settings, options.enabled, options.disabled)
    from lanner.cli.runs.run import run_plugin

    begin = time.monotonic()
    code = run_plugin(settings, make)
    if options.verbose:
        say(f"elapsed time: {time.monotonic() - begin:.3f} s")
    return code


def _show_constant(options: Options) -> int:
    """Print what depends on no settings."""
    from lanner.cli.runs.support import show_config_schema, show_page_size, show_rule_schema

    return show_config_schema() if options.config_schema else show_rule_schema() if options.rule_schema else show_page_size()


def _check_options(options: Options) -> None:
    """Raise `UsageError` for options without meaning here."""
    if options.ignored_events or options.list_events:
        option = "-i" if options.ignored_events else "--list-events"
        raise UsageError(f"{option} is about system calls, which Lanner does not read: use falco")
    if options.markdown and options.layout is not None:
        raise UsageError("--markdown and --format exclude each other: leave out --markdown")
    if options.layout == "markdown" and options.fields_of is None:
        raise UsageError("--format markdown is for --list: alerts are text or json")


def _check_format(settings: Settings, options: Options) -> None:
    """Raise `UsageError` if --watch leaves --format without effect: no other output prints alerts."""
    if options.asks or not options.watch or options.alert_format != "json":
        return
    if not any(sink.is_enabled and sink.declaration is not STDOUT for sink in configured_sinks(settings.falco)):
        raise UsageError("--watch prints a summary instead of the alerts, so --format json has no effect: leave out one of them")


def _limits(options: Options) -> Limits:
    return Limits(
        host=options.host,
        replay=", ".join(options.replay) if options.replay else None,
        max_events=options.max_events,
        duration=options.duration or options.seconds or None,
        dry_run=options.dry_run,
        executor=options.executor,
        recordings=options.replay,
        jobs=options.jobs or count_cores(),
        from_start=options.from_start,
        reload=options.reload,
        report=options.report,
        output=options.output,
        pidfile=options.pidfile,
        verbose=options.verbose,
    )


def _find_answer(settings: Settings, options: Options) -> Callable[[], int] | None:
    """Return the function that prints the information that an option requests, or None for a run."""
    if options.version:
        from lanner.cli.runs.support import show_version

        return partial(show_version, settings)
    if options.list_plugins or options.asked is not None:
        from lanner.cli.runs.plugin_list import list_all, show_one

        return partial(list_all, settings) if options.asked is None else partial(show_one, settings, options.asked)
    if options.fields_of is not None:
        from lanner.cli.runs.field_list import list_fields

        form = options.list_format or ("json" if settings.falco.json_output else "text")
        return partial(list_fields, settings, options.fields_of, layout=form, verbose=options.verbose, names_only=options.names_only)
    if options.validated:
        from lanner.cli.runs.validate import validate_files

        return partial(validate_files, settings, options.validated)
    if options.describe_all or options.describe is not None:
        from lanner.cli.runs.describe import describe_rules

        return partial(describe_rules, settings, options.describe)
    if options.support:
        from lanner.cli.runs.support import show_support

        return partial(show_support, settings)
    return None


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
