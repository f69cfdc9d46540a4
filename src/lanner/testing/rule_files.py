"""Rules files in a test: replay events through them, or try one of their rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lanner.host.plugin_loader import load_plugin
from lanner.host.trial import LoadedRules
from lanner.testing.payloads import payload
from lanner.testing.replayed import ReplayResult
from lanner.testing.single import RuleOnTrial

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from os import PathLike

    from lanner.sdk.authoring.plugin import Plugin


class Rules:
    """Rules of a plugin, from files or, without files, the plugin's own. The plugin is a class, or a name as for `lanner run`.

        result = Rules("docker_rules.yaml").replay([{"Type": "container", "Action": "oom"}])
        result.assert_fired("Container out of memory")

    `enable` lists disabled rules to enable. Raise `LannerError` if the rules have errors.
    """

    def __init__(
        self,
        *files: str | PathLike[str],
        plugin: str | type[Plugin] = "docker",
        config: str | dict[str, Any] = "",
        enable: Collection[str] = (),
    ) -> None:
        cls = load_plugin(plugin) if isinstance(plugin, str) else plugin
        self.rules: LoadedRules = LoadedRules(cls, files, config=config)
        self.rules.compile(enable)
        self._enable = frozenset(enable)

    def rule(self, name: str) -> RuleOnTrial:
        """Return one rule of the files, tried without the others. Raise `LannerError` for an unknown rule."""
        return RuleOnTrial(self.rules, name)

    def replay(
        self, events: Iterable[Any] | str | PathLike[str], *, enable: Collection[str] = (), all_matches: bool = False
    ) -> ReplayResult:
        """Run the rules on events: payloads, mappings (their JSON is the payload), or the path of a recording.

        With `all_matches` every rule that matches an event raises an alert, not only the first one.
        """
        enabled = self._enable | frozenset(enable)
        if isinstance(events, (str, os.PathLike)):
            return ReplayResult(self.rules, list(self.rules.read_recording(os.fspath(events))), enabled, first=not all_matches)
        return ReplayResult(self.rules, [(payload(event), None) for event in events], enabled, first=not all_matches)
