"""The commands of `lanner rules`, declared with click. The modules named like the commands implement them."""

from __future__ import annotations

import click

from lanner.cli.paths import PathGroup


@click.group(cls=PathGroup, no_args_is_help=True)
def rules() -> None:
    """Check rules files, explain why a rule fired or not, and test rules on recorded events."""


@rules.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    default=["docker"],
    metavar="PLUGIN",
    help="Plugin whose events the rules are about. May be repeated.",
)
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(files: tuple[str, ...], plugins: tuple[str, ...], *, as_json: bool, strict: bool) -> int:
    """Show errors and warnings in rules files, loaded together in this order. Without FILE: in the plugins' own rules.

    A directory stands for its .yaml and .yml files, the word `plugin` for the plugins' own rules.

    Exit status: 0 no errors; 1 errors, or no rule for the plugin's events.
    """
    from lanner.cli.check import check_rules

    return check_rules(files, plugins, as_json=as_json, strict=strict)


@rules.command()
@click.argument("plugin", default="docker")
def show(plugin: str) -> None:
    """Print the rules file that a plugin ships: the meaning of `plugin` in rules_files and in -r."""
    from lanner.cli.show import show_rules

    show_rules(plugin)


@rules.command()
@click.argument("rule")
@click.option("--replay", required=True, metavar="FILE|-", help="Recorded events (see `lanner record`); `example` is the plugin's own.")
@click.option("--event", type=click.IntRange(min=1), default=None, metavar="N", help="Explain the rule on the Nth event.")
@click.option(
    "-r",
    "--rules",
    "files",
    multiple=True,
    metavar="FILE",
    help="A rules file, a directory of them, or the word `plugin` for the plugin's own rules; may be given several times. "
    "Default: the plugin's own.",
)
@click.option("--plugin", default="docker", metavar="PLUGIN", help="Plugin of the events and fields, as for `lanner run`.")
@click.option("--config", default="", metavar="TEXT", help="The plugin's configuration: JSON or YAML, or @FILE.")
@click.option("--full", is_flag=True, help="Show every part of the condition, not only those that decided.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, always with every part.")
def explain(
    rule: str, plugin: str, files: tuple[str, ...], replay: str, event: int | None, config: str, *, as_json: bool, full: bool
) -> int:
    """Show which parts of RULE's condition made it fire on an event, or prevented it.

    Without --event, it explains the first event that the rule matches, or else the event that comes closest.
    """
    from lanner.cli.explain import explain_rule

    return explain_rule(rule, plugin, files, replay, event, config, as_json=as_json, full=full)


@rules.command("test")
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("--junit", default=None, metavar="FILE", help="Also write the results as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test_(files: tuple[str, ...], junit: str | None, *, as_json: bool) -> int:
    """Run test files, which list events and the alerts that they must raise.

    \b
    rules: [my_rules.yaml]       # in the same directory; without it, the plugin's own
    tests:
      - name: A shell in a container
        events:
          - {Type: container, Action: "exec_start: sh"}
        alerts: [Shell in a container]

    Exit status: 0 all tests passed; 1 a test failed or a file is invalid.
    """  # noqa: D301
    from lanner.cli.ruletest import run_tests

    return run_tests(files, junit, as_json=as_json)
