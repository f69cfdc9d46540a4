"""`lanner run --version`, `--support`, `--page-size`, `--config-schema` and `--rule-schema`, as in Falco."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner import __version__
from lanner.cli.messages import OK, say
from lanner.cli.runs.validate import read_rules
from lanner.cli.show import print_lines, print_text
from lanner.host.own_rules import rules_files
from lanner.host.plugin_loader import load_plugin
from lanner.operating.falco_versions import falco_version, version_members
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.options.secrets import mask_option, mask_text
from lanner.sdk.text.tables import put_beside

if TYPE_CHECKING:
    from lanner.cli.runs.settings import Settings
    from lanner.sdk.authoring.plugin import PluginInfo


_LONGEST_PID: Final = 20
"""Bytes of a file with a process ID and blanks."""


def show_version(settings: Settings) -> int:
    """Print the versions and return the exit code."""
    members = _versions(settings)
    if settings.falco.json_output:
        return _print(members)
    rows = (
        ("Falco version:", members["falco_version"]),
        ("Plugin API:", members["plugin_api_version"]),
        ("Engine:", members["engine_version_semver"]),
        ("Lanner:", __version__),
        ("Driver:", "none, Lanner does not read system calls"),
    )
    print_lines(line for label, text in rows for line in put_beside(label, [str(text)], 15))
    return OK


def show_support(settings: Settings) -> int:
    """Print versions, machine, configuration (without secrets) and rules for a bug report, and return the exit code."""
    import msgspec

    system = os.uname()
    infos = [plugin_info(load_plugin(each.target)) for each in settings.plugins]
    secret = frozenset().union(*map(_secret_options, infos))
    files = rules_files(settings.rules, *infos) if settings.rules or all(info.rules for info in infos) else ()
    return _print(
        {
            "cmdline": " ".join(mask_text(each, secret=secret) for each in sys.argv),
            "config": msgspec.json.encode(mask_option(msgspec.to_builtins(settings.falco, enc_hook=_encode), secret=secret)).decode(),
            "engine_info": _versions(settings),
            "rules_files": [{"name": str(file), "variants": [{"content": read_rules(str(file))}]} for file in files],
            "system_info": {name: getattr(system, name) for name in ("machine", "nodename", "release", "sysname", "version")},
            "version": falco_version(__version__),
        }
    )


def show_page_size() -> int:
    """Print the size of a memory page, and return the exit code."""
    say(f"Your system page size is: {os.sysconf('SC_PAGE_SIZE')} bytes")
    return OK


def show_config_schema() -> int:
    """Print the JSON schema of falco.yaml, and return the exit code."""
    from lanner.config.json_schema import config_schema

    return _print(config_schema(), indent=2)


def show_rule_schema() -> int:
    """Print the JSON schema of rules files, and return the exit code."""
    from lanner.rules.files.schema import json_schema

    return _print(json_schema(), indent=2)


def _versions(settings: Settings) -> dict[str, object]:
    infos = [plugin_info(load_plugin(each.target)) for each in settings.plugins]
    return version_members(__version__, {info.name: info.version for info in infos})


def _secret_options(info: PluginInfo) -> frozenset[str]:
    if info.config is None:
        return frozenset()
    from lanner.sdk.options.config import secret_options

    return secret_options(info.config)


def _encode(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _print(value: Any, indent: int | None = None) -> int:
    print_text(json.dumps(value, indent=indent, ensure_ascii=False, sort_keys=indent is None, default=_encode))
    return OK


def write_pid(path: str) -> None:
    """Write the process ID to a file, as Falco does, which must be new, empty, or of another process. Raises `LannerError`."""
    from lanner.sdk.errors import LannerError, UsageError
    from lanner.sdk.files import write_whole

    place = Path(path)
    if place.is_file():
        try:
            with place.open("rb") as file:
                found = file.read(_LONGEST_PID + 1)
        except OSError:  # writing it reports the error
            found = b""
        if len(found) > _LONGEST_PID or (found and not found.strip().isdigit()):
            raise UsageError(
                f"{path} exists and has no process ID, so it is not overwritten: choose another file with --pidfile, or remove it"
            )
    try:
        write_whole(path, str(os.getpid()).encode())
    except OSError as error:
        raise LannerError(f"cannot write the file of -P {path}: {error.strerror}") from None
