"""The description of a run in the store: its key, and each load of rules and configuration."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

from lanner._version import __version__
from lanner.alerts.record import Recorder, RunLoad
from lanner.host.own_rules import rules_files
from lanner.host.pump import host_name
from lanner.rules.files.load import MAX_SIZE
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lanner.cli.settings import Settings
    from lanner.config.plugin_entries import PluginSetup
    from lanner.outputs.base import Sink
    from lanner.sdk.plugin import PluginInfo


class History:
    """The records of a run. `use` is called with the sinks before each pump is made."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.current: tuple[Recorder, RunLoad] | None = None
        """The recorder and the last load; None if no sink wants records."""
        self._is_wanted = False

    def use(self, sinks: Iterable[Sink]) -> None:
        """Make records if one of these sinks wants them."""
        self._is_wanted = any(sink.wants_records for sink in sinks)

    def load(self, infos: Sequence[PluginInfo], settings: Settings) -> tuple[Recorder, RunLoad] | None:
        """Begin a load of rules and configuration. Return `current`, for a pump."""
        self.current = (self.recorder, describe_load(self.recorder.key, infos, settings)) if self._is_wanted else None
        return self.current


def describe_load(key: str, infos: Sequence[PluginInfo], settings: Settings) -> RunLoad:
    """Return the description of a load of rules and configuration at this moment. It contains no option of a plugin."""
    falco = settings.falco
    contents = _read(rules_files(settings.rules, infos[0]))
    configs = _read(settings.config_files)
    setups = (settings.plugin, *settings.beside)
    about = {
        "plugin": infos[0].name,
        "target": _lasting(setups[0]),
        "plugins": [
            {"name": info.name, "version": info.version, "target": _lasting(setup)} for info, setup in zip(infos, setups, strict=True)
        ],
        "source": infos[0].event_source,
        "hostname": host_name(),
        "version": __version__,
        "replay": settings.limits.replay,
        "settings": {
            "json_include_output_property": falco.json_include_output_property,
            "json_include_message_property": falco.json_include_message_property,
            "json_include_tags_property": falco.json_include_tags_property,
            "json_include_output_fields_property": falco.json_include_output_fields_property,
            "time_format_iso_8601": falco.time_format_iso_8601,
            "rule_matching": falco.rule_matching.value,
            "priority": str(falco.priority),
            "static_fields": falco.static_fields,
        },
        "rules": _digests(contents),
        "config": _digests(configs),
    }
    text = json.dumps(about, ensure_ascii=False).encode("utf-8", "replace").decode()  # a path may not be UTF-8
    files = {_digest(content): content for content in contents.values() if content is not None}
    return RunLoad(key, time.time_ns(), infos[0].name, text, files)


def _lasting(setup: PluginSetup) -> str:
    """Return what names the plugin from any directory."""
    path, colon, name = setup.target.partition(":")
    return f"{os.path.abspath(path)}{colon}{name}" if path.endswith(".py") else setup.target  # noqa: PTH100


def _read(paths: Iterable[str]) -> dict[str, bytes | None]:
    """Return the content of each file, None of an unreadable one, such as a pipe."""
    found: dict[str, bytes | None] = {}
    for path in paths:
        try:
            found[path] = read_whole(path, MAX_SIZE, pipes=False)
        except OSError:
            found[path] = None
    return found


def _digests(contents: Mapping[str, bytes | None]) -> list[dict[str, str]]:
    return [{"path": os.path.abspath(path), "sha256": _digest(content)} for path, content in contents.items()]  # noqa: PTH100 - as named


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
