"""`lanner run PLUGIN -V FILE`: what `falco -V` says of rules files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.cli.messages import FAILED, OK, fail, say
from lanner.framework.load import load_plugin
from lanner.rules.catalog import Catalog
from lanner.rules.errors import printable
from lanner.rules.load import MAX_SIZE
from lanner.rules.report import as_json, as_text, dump, full_text
from lanner.rules.syscall import SOURCE, SyscallCatalog
from lanner.rules.validate import Validator
from lanner.sdk.errors import LannerError
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.cli.settings import Settings
    from lanner.config.falco import Falco
    from lanner.sdk.plugin import PluginInfo


def validate_files(settings: Settings, files: Iterable[str]) -> int:
    """Print Falco's report; gives the exit code. Raises `LannerError` for a file that cannot be read."""
    validator = make_validator(plugin_info(load_plugin(settings.plugin.target)), settings.falco)
    contents = [(file, read_rules(file)) for file in files]
    results = []
    for file, content in contents:
        results.append(validator.load(file, content))
        if reason := validator.unmet():
            return fail(reason)
    if settings.falco.json_output:
        print_text(dump(as_json(results)))
    else:
        print_text(as_text(results))
        for result in results:
            if result.successful and result.findings:
                say(full_text(result))
    return OK if all(result.successful for result in results) else FAILED


def make_validator(info: PluginInfo, falco: Falco) -> Validator:
    """One that knows the plugin's event sources and that of system calls, and what the configuration adds."""
    fields = [declaration.info for declaration in info.fields]
    sources = dict.fromkeys([*info.extract_sources, info.event_source or SOURCE])
    catalogs = [Catalog(fields, source, falco.static_fields) for source in sources if source != SOURCE]
    return Validator([*catalogs, SyscallCatalog(fields if SOURCE in sources else ())], {info.name: info.version}, falco.append_output)


def read_rules(path: str) -> str:
    """The text of a rules file. Raises `LannerError`."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise LannerError(f"cannot read the rules file {path}: {error.strerror or error}") from None
    if len(data) > MAX_SIZE:
        raise LannerError(f"the rules file {path} is larger than {MAX_SIZE >> 20} MiB")
    return data.decode("utf-8", "surrogateescape")


def print_text(text: str) -> None:
    """Print a text of rules files and a line feed: byte by byte, but a terminal sees escapes for control characters."""
    if sys.stdout.isatty():
        text = printable(text)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    sys.stdout.buffer.flush()
