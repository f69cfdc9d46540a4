"""Options of `lanner run` that others leave without effect: refused, or reported for those that Falco accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.cli.messages import say
from lanner.sdk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_REPORTS: Final = (
    *("version", "support", "page_size", "config_schema", "rule_schema", "list_plugins", "asked"),
    *("fields_of", "validated", "describe_all", "describe"),
)
"""Options that print something instead of a run; the command does the first of them."""
_OF_A_RUN: Final = frozenset(
    {"host", "params", "replay", "jobs", "executor", "output", "watch", "all_matches", "iso8601", "max_events", "duration", "dry_run"}
    | {"seconds", "pidfile", "enabled", "disabled", "from_start", "reload", "report"}
)
_LIVE_KEYS: Final = ("webserver", "metrics", "watch_config_files", "lanner.spool", "outputs_queue")
"""Keys of falco.yaml for services around a live run."""


def check_options(options: Mapping[str, str], settings: Collection[str], *, native: bool) -> None:
    """Check the options that were given, by parameter with their names, and the keys of -o. Print warnings. Raises `UsageError`.

    `native`: the native executor matches the rules.
    """
    reports = [name for name in _REPORTS if name in options]
    if reports:
        _warn(options, {*_OF_A_RUN, *reports[1:]}, f"with {options[reports[0]]}")
        return
    if "replay" in options:
        _check_replay(options, settings, native=native)
    elif "report" in options:
        raise UsageError("--report is for recorded events: add --replay FILE, or see a live run with `lanner console`")
    elif "jobs" in options:
        raise UsageError("--jobs is for recorded events: add --replay, or leave it out")
    if "duration" in options and "seconds" in options:
        raise UsageError("--duration and -M exclude each other: leave out -M")
    _warn(options, {"names_only", "markdown"}, "without --list")


def _check_replay(options: Mapping[str, str], settings: Collection[str], *, native: bool) -> None:
    for name in ("host", "params", "from_start", "reload"):
        if name in options:
            raise UsageError(f"--replay reads recorded events and opens no event source: leave out {options[name]}")
    _warn(options, {"enabled", "disabled"}, "on a replay")
    if not native:
        _warn(options, {"jobs"}, "with --executor python")
    keys = [key for key in settings if any(key == live or key.startswith((f"{live}.", f"{live}[")) for live in _LIVE_KEYS)]
    if keys:
        say(f"warning: no effect on a replay: {', '.join(f'-o {key}' for key in keys)}")


def _warn(options: Mapping[str, str], without_effect: Collection[str], where: str) -> None:
    if found := [shown for name, shown in options.items() if name in without_effect]:
        say(f"warning: no effect {where}: {', '.join(found)}")
