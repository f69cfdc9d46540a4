"""`lanner run PLUGIN -V FILE`: print the report of `falco -V` on rules files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.cli.messages import FAILED, OK, fail, say
from lanner.cli.show import make_escape, print_text
from lanner.rules.check.syscall import SOURCE, SyscallCatalog
from lanner.rules.files.load import MAX_SIZE
from lanner.rules.language.catalog import Catalog
from lanner.rules.report.falco_report import as_json, as_text, dump, full_text
from lanner.rules.report.validator import Validator
from lanner.sdk.errors import LannerError
from lanner.sdk.files import TooLargeError, read_whole
from lanner.sdk.text.encoding import from_bytes
from lanner.sdk.text.misspelt import suggest_file
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanner.cli.runs.settings import Settings
    from lanner.config.falco import Falco
    from lanner.sdk.authoring.plugin import PluginInfo
    from lanner.sdk.types import FieldInfo


def validate_files(settings: Settings, files: Iterable[str]) -> int:
    """Print Falco's report and return the exit code. Raises `LannerError` for a file that cannot be read."""
    validator = make_validator(settings.all_infos(), settings.falco)
    contents = [(file, read_rules(file)) for file in files]
    results = []
    for file, content in contents:
        results.append(validator.load(file, content))
        if reason := validator.describe_unmet():
            return fail(reason)
    if settings.falco.json_output:
        print_text(dump(as_json(results)))
    else:
        print_text(as_text(results, make_escape()))
        for result in results:
            if result.successful and result.findings:
                say(*full_text(result, printable_line).split("\n"))
    return OK if all(result.successful for result in results) else FAILED


def make_validator(infos: Sequence[PluginInfo], falco: Falco) -> Validator:
    """Return a catalog with the event sources of plugins, of system calls, and of the configuration."""
    sources = dict.fromkeys(source for info in infos for source in (*info.extract_sources, info.event_source or SOURCE))

    def fields(source: str) -> list[FieldInfo]:
        return [each.info for info in infos if info.reads(source) for each in info.fields]

    catalogs = [Catalog(fields(source), source, falco.static_fields) for source in sources if source != SOURCE]
    return Validator([*catalogs, SyscallCatalog(fields(SOURCE))], {info.name: info.version for info in infos}, falco.append_output)


def read_rules(path: str) -> str:
    """Return the text of a rules file. Raises `LannerError`."""
    try:
        data = read_whole(path, MAX_SIZE)
    except TooLargeError:
        raise LannerError(f"the rules file {path} is larger than {MAX_SIZE >> 20} MiB") from None
    except OSError as error:
        near = suggest_file(path) if isinstance(error, FileNotFoundError) else ""
        raise LannerError(f"cannot read the rules file {path}: {error.strerror or error}{near}") from None
    return from_bytes(data)
