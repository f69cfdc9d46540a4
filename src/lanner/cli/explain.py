"""`lanner rules explain`: why a rule fires on a recorded event, or which part of its condition prevents it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from lanner.cli.messages import OK, fail, say
from lanner.cli.plugin_config import BY_OPTION, read_config
from lanner.cli.show import print_text
from lanner.config.read import list_files
from lanner.host.plugin_loader import load_plugin
from lanner.host.recording import no_recording
from lanner.host.trial import LoadedRules, explain
from lanner.sdk.text.printable import printable_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.rules.report.explanation import Explanation


def explain_rule(
    name: str, plugin: str, files: Sequence[str], replay: str, event: int | None, config: str, *, as_json: bool, full: bool
) -> int:
    """Print the explanation and return the exit code. Raises `LannerError`."""
    with redirect_stdout(sys.stderr):  # for the plugin's own output
        cls = load_plugin(plugin)
        rules = LoadedRules(cls, list_files(files), config=read_config(config, cls), way=BY_OPTION)
        if not rules.rule(name).enabled:
            say(f"the rule {name!r} is disabled: explaining it as if it were enabled")
        trial = rules.trial([name])
        found = explain(trial, name, rules.read_recording(replay), number=event)
    if event is None and trial.has_read_nothing:
        return fail(no_recording(replay, rules.info))
    if found is None:
        return fail(f"the recording {replay} has no event" + (f" {event}" if event else ""))
    print_text(printable_json(found.as_dict(), indent=2) if as_json else _text(found, full=full))
    return OK


def _text(found: Explanation, *, full: bool) -> str:
    text, whole = found.text(), found.text(full=True)
    if full or text == whole:
        return whole
    return f"{text}\n\n(only the parts that decided; --full shows all {whole.count(chr(10)) + 1} lines)"
