"""`lanner run PLUGIN -L` and `-l RULE`: the output of `falco -L` and `falco -l`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.cli.messages import OK, fail, say
from lanner.cli.runs.validate import make_validator, read_rules
from lanner.cli.show import make_escape, print_text
from lanner.host.own_rules import rules_files
from lanner.rules.findings import ConditionError
from lanner.rules.report.descriptions import describe, table
from lanner.rules.report.falco_report import dump, full_text
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from lanner.cli.runs.settings import Settings


def describe_rules(settings: Settings, rule: str | None) -> int:
    """Print the description of the rules, or of one rule, and return the exit code.

    Raises `LannerError` for a file that cannot be read.
    """
    infos = settings.all_infos()
    files = rules_files(settings.rules, infos[0], advice="name a rules file with -r FILE")
    validator = make_validator(infos, settings.falco)
    for file in files:
        result = validator.load(file, read_rules(file))
        if result.findings:
            say(*full_text(result, printable_line).split("\n"))
        if reason := validator.describe_unmet():
            return fail(reason)
        if not result.successful:
            return fail(f"the rules file {file} has an error")
    try:
        described = describe(validator, infos, rule)
    except KeyError:
        return fail(f'Rule "{rule}" is not loaded')
    except ConditionError as error:
        return fail(error.message)
    print_text(dump(described) if settings.falco.json_output else table(described, make_escape()))
    return OK
