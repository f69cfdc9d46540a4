"""The options `--plugin` and `--config` of commands that explain stored alerts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from lanner.host.plugin_loader import PluginNotFoundError, check_target
from lanner.inquiry.questions import Inquiry
from lanner.sdk.errors import UsageError
from lanner.sdk.files import read_whole
from lanner.yamlfile import placed_values
from lanner.yamlfile.reader import YamlError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_BYTES: Final = 16 << 20


def make_inquiry(plugins: Sequence[str], config: str) -> Inquiry:
    """Return an `Inquiry` that may load these plugins; `config` is JSON, YAML or @FILE.

    Raises `UsageError`, including for a plugin that does not exist, and `PluginImportError`.
    """
    for name in plugins:
        try:
            check_target(name)
        except PluginNotFoundError as error:
            raise PluginNotFoundError(f"--plugin: {error}") from None
    return Inquiry(plugins, _config_text(config))


def _config_text(text: str) -> str:
    """Return the text of --config as JSON; "" without one. Raises `UsageError`."""
    try:
        if text.startswith("@"):
            text = read_whole(text[1:], _MOST_BYTES).decode("utf-8")
        options = placed_values.load(text, "--config")[0] if text.strip() else {}
    except OSError as error:
        raise UsageError(f"--config: cannot read {text[1:]}: {error.strerror or error}") from None
    except (ValueError, YamlError) as error:
        raise UsageError(f"--config: {error}") from None
    if not isinstance(options, dict):
        raise UsageError("--config takes the plugin's options, as in --config '{option: value}', or @FILE")
    return json.dumps(options) if options else ""
