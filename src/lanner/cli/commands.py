"""Commands and their options, declared with click. The modules named like the commands implement them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from lanner.cli.alerts import alerts
from lanner.cli.paths import PathGroup
from lanner.cli.rules import rules
from lanner.host.plugin_loader import BUILT_IN
from lanner.new.kinds import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.cli.build import ModuleChoice

_F = TypeVar("_F", bound="Callable[..., Any]")
_PLUGIN = (
    f"PLUGIN is the name of a built-in plugin ({', '.join(sorted(BUILT_IN))}) or of an installed one, module:Class, or "
    "path/to/file.py[:Class]."
)


@click.group(cls=PathGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, no_args_is_help=True)
@click.version_option(None, "--version", package_name="lanner", message="%(prog)s %(version)s", prog_name="lanner")
def commands() -> None:
    """Falco plugins in Python, and Falco rules without Falco.

    \b
    lanner run docker                      print alerts about this machine's Docker engine, using the shipped rules
    lanner run docker -r my_rules.yaml     use your own rules
    lanner run docker --replay example     replay the plugin's own recording
    lanner fields docker                   list the fields that rules can use

    Exit status: 0 success, 1 failure, 2 wrong usage, 3 the event source cannot be opened.
    """  # noqa: D301


@commands.command(epilog=_PLUGIN)
@click.argument("plugin", required=False)
@click.option("-c", "file", default=None, metavar="FILE", help="Falco's configuration file, falco.yaml; PLUGIN can then be omitted.")
@click.option(
    "-o", "options", multiple=True, metavar="KEY=VALUE", help="Set a key of falco.yaml, such as json_output=true or plugins[0].name=x."
)
@click.option(
    "-r",
    "--rules",
    multiple=True,
    metavar="FILE",
    help="A Falco rules file, a directory of them, or the word `plugin` for the plugin's own rules; may be given several times. "
    "Default: rules_files of -c, else the plugin's own.",
)
@click.option("--open", "params", default=None, metavar="PARAMS", help="Open parameters of the event source (for docker: since=10m).")
@click.option("--config", default=None, metavar="TEXT", help="The plugin's configuration: JSON or YAML, or @FILE.")
@click.option(
    "--host",
    default=None,
    metavar="URL",
    help="The engine's address (unix:///path, tcp://host:port); short for the option `host` of --config.",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json", "markdown"], case_sensitive=False),
    default=None,
    help="Format of alerts: Falco's text or JSON. With --list: format of the fields, which may also be markdown.",
)
@click.option("--iso8601", is_flag=True, help="Print times of alerts in UTC with the date (Falco's time_format_iso_8601).")
@click.option("--all-matches", is_flag=True, help="Raise an alert for every rule that matches an event, not only the first.")
@click.option(
    "--replay",
    multiple=True,
    metavar="FILE|-",
    help="Read recorded events (see `lanner record`) instead of opening the source; plain, gzip or zstd. "
    "`example` is the plugin's own recording. May be given several times, and may be a pattern such as '2026-11-*.gz'.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=None, metavar="N", help="Threads that match recorded events. Default: number of cores."
)
@click.option(
    "--executor",
    type=click.Choice(["native", "python"]),
    default="native",
    show_default=True,
    help="Code that matches rules; python is slow and raises the same alerts.",
)
@click.option("--output", default=None, metavar="FILE", help="Append alerts to FILE instead of printing them.")
@click.option(
    "--report",
    default=None,
    metavar="FILE",
    help="Write the alerts of a replay to one HTML file: the page of `lanner console`, without a server.",
)
@click.option("--watch", is_flag=True, help="Print a summary instead of the alerts: rate, counts by priority, the last alert.")
@click.option("--max-events", type=click.IntRange(min=1), default=None, metavar="N", help="End after N events.")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), default=None, metavar="S", help="End after S seconds.")
@click.option("--from-start", is_flag=True, help="Ignore the stored position of the event source.")
@click.option("--reload", is_flag=True, help="For development: reload the plugin when its files change.")
@click.option("--dry-run", is_flag=True, help="Check the plugin, the configuration and the rules without opening the source.")
@click.option("-V", "--validate", "validated", multiple=True, metavar="FILE", help="Print the same report as `falco -V` for a rules file.")
@click.option("-L", "describe_all", is_flag=True, help="Describe the rules. With --format json, also describe macros and lists.")
@click.option("-l", "describe", default=None, metavar="RULE", help="Describe one rule.")
@click.option("--list", "fields_of", is_flag=False, flag_value="", metavar="[SOURCE]", help="List the fields for rules.")
@click.option("-N", "names_only", is_flag=True, help="With --list: print names only.")
@click.option("-v", "verbose", is_flag=True, help="With --list: also print types. Otherwise: print the elapsed time at the end.")
@click.option("--markdown", is_flag=True, help="Falco's old name for --format markdown.")
@click.option("-p", "--print", "added", default=None, metavar="TEXT", help="Add TEXT to the output of all rules (append_output).")
@click.option("-M", "seconds", type=click.IntRange(min=0), default=0, metavar="S", help="Falco's name for --duration; 0 means no limit.")
@click.option("-P", "--pidfile", default=None, metavar="FILE", help="Write the process ID to FILE.")
@click.option("-U", "--unbuffered", is_flag=True, help="No effect: Lanner always writes alerts immediately.")
@click.option("--enable-source", "enabled", multiple=True, metavar="SOURCE", help="Watch this event source and no other.")
@click.option("--disable-source", "disabled", multiple=True, metavar="SOURCE", help="Do not watch this event source.")
@click.option("--version", "version", is_flag=True, help="Print versions, including those of Falco's interfaces.")
@click.option("--support", is_flag=True, help="Print versions, machine, configuration and rules as JSON.")
@click.option("--page-size", is_flag=True, help="Print the size of a memory page.")
@click.option("--config-schema", is_flag=True, help="Print the JSON schema of falco.yaml.")
@click.option("--rule-schema", is_flag=True, help="Print the JSON schema of rules files.")
@click.option("-i", "ignored_events", is_flag=True, hidden=True)
@click.option("--list-events", is_flag=True, hidden=True)
@click.option("--list-plugins", is_flag=True, help="Print the loaded plugins.")
@click.option("--plugin-info", "asked", default=None, metavar="NAME", help="Describe a loaded plugin.")
def run(plugin: str | None, **given: Any) -> int:
    """Watch a plugin's events and print alerts by Falco rules.

    Alerts go to standard output, everything else to standard error. Ctrl-C or SIGTERM ends the run with a summary.
    """
    alone = ("version", "page_size", "config_schema", "rule_schema", "ignored_events", "list_events")
    if plugin is None and given["file"] is None and not given["options"] and not any(given[each] for each in alone):
        raise click.UsageError(
            "Missing argument 'PLUGIN': name the plugin to load, as in `lanner run docker`, or a configuration with -c FILE.",
            click.get_current_context(),
        )
    from lanner.cli.runs.conflicts import check_options
    from lanner.cli.runs.start import start

    check_options(_given_options(), [text.partition("=")[0] for text in given["options"]], native=given["executor"] == "native")
    return start(plugin, **given)


def _given_options() -> dict[str, str]:
    """Return the command line's options: their parameters with their longest names."""
    context = click.get_current_context()
    source = click.core.ParameterSource.COMMANDLINE
    options = {each.name: max(each.opts, key=len) for each in context.command.params if isinstance(each, click.Option) and each.name}
    return {name: shown for name, shown in options.items() if context.get_parameter_source(name) is source}


@commands.command(epilog=_PLUGIN)
@click.argument("plugin")
@click.option("-o", "--output", required=True, metavar="FILE", help="File to write; an existing file is replaced. - is standard output.")
@click.option("--open", "params", default="", metavar="PARAMS", help="Open parameters of the event source.")
@click.option("--config", default="", metavar="TEXT", help="The plugin's configuration: JSON or YAML, or @FILE.")
@click.option("--host", default=None, metavar="URL", help="The engine's address; short for the option `host` of --config.")
@click.option("--max-events", type=click.IntRange(min=1), default=None, metavar="N", help="End after N events.")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), default=None, metavar="S", help="End after S seconds.")
def record(plugin: str, **options: object) -> int:
    """Record a plugin's events, for `lanner run PLUGIN --replay FILE`.

    One event per line: the payload unchanged if it is JSON with its time (docker), otherwise {"ts": ns, "payload": base64}.
    """
    from lanner.cli.record import record_plugin

    return record_plugin(plugin, **options)  # type: ignore[arg-type]


@commands.command(epilog=_PLUGIN)
@click.argument("plugin")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in the layout of Falco's get_fields.")
def fields(plugin: str, *, as_json: bool) -> None:
    """Show the fields that rules can use for a plugin's events."""
    from lanner.cli.show import show_fields

    show_fields(plugin, as_json=as_json)


@commands.command("plugin", epilog=_PLUGIN)
@click.argument("plugin")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the JSON schema of the configuration.")
def plugin_(plugin: str, *, as_json: bool) -> None:
    """Describe a plugin: name, version, event source, configuration."""
    from lanner.cli.show import show_plugin

    show_plugin(plugin, as_json=as_json)


_BUILDING = (
    click.option(
        "--api",
        type=click.Choice(["3", "3.3", "2", "1", "0.3"]),
        default="3",
        help="Version of the plugin API. 3: Falco 0.35 and later; 3.3: Falco 0.38 and later, with log records; 2: Falco 0.33, 0.34; "
        "1: Falco 0.32; 0.3: sysdig 0.29.",
    ),
    click.option(
        "--python",
        default="",
        metavar="PATH",
        help="Python that the plugin runs on, with this version of Lanner; default: the running one.",
    ),
)
_CONTENTS = (
    click.option("--include", multiple=True, metavar="MODULE", help="With --bundle: also include this module. May be repeated."),
    click.option(
        "--exclude", multiple=True, metavar="MODULE", help="With --bundle: exclude this module and its submodules. May be repeated."
    ),
)


def _building_options(bundle_help: str) -> Callable[[_F], _F]:
    """Return a decorator that adds the options of a command that builds a plugin."""

    def decorate(command: _F) -> _F:
        for add in reversed((*_BUILDING, click.option("--bundle", is_flag=True, help=bundle_help), *_CONTENTS)):
            command = add(command)
        return command

    return decorate


def _choose_modules(include: tuple[str, ...], exclude: tuple[str, ...], *, bundle: bool) -> ModuleChoice | None:
    """Return the changes of a bundle's contents; None if no bundle is built. Raises `click.UsageError`."""
    from lanner.cli.build import ModuleChoice

    if (include or exclude) and not bundle:
        raise click.UsageError("--include and --exclude change the contents of a bundle: add --bundle")
    return ModuleChoice(include, exclude) if bundle else None


@commands.command(epilog=_PLUGIN)
@click.argument("plugin")
@click.option("-o", "--output", default=None, metavar="FILE", help="File to write; default: libNAME.so in the working directory.")
@_building_options("Include Python and everything the plugin needs: for machines and containers without Python.")
def build(plugin: str, *, bundle: bool, include: tuple[str, ...], exclude: tuple[str, ...], **options: object) -> int:
    """Build a plugin into a native .so that Falco and sysdig load.

    The file needs the Python and the environment it was built with, at the same paths; with --bundle it needs neither.
    """
    from lanner.cli.build import build_plugin

    return build_plugin(plugin, bundling=_choose_modules(include, exclude, bundle=bundle), **options)  # type: ignore[arg-type]


@commands.command(epilog=_PLUGIN)
@click.argument("plugin")
@click.option("-o", "--output", default="dist", metavar="DIR", help="Directory to write to, created if missing. Default: dist.")
@click.option(
    "-r",
    "--rules",
    multiple=True,
    metavar="FILE",
    help="A rules file to package with the plugin; may be given several times. Default: the plugin's own.",
)
@_building_options("Include Python and everything the plugin needs, as in `lanner build`.")
@click.option("--source", default="", metavar="URL", help="URL of the sources, for the artifacts' annotations.")
@click.option(
    "--readme", default=None, metavar="FILE", help="Write the table of fields into FILE, between <!-- README-PLUGIN-FIELDS --> comments."
)
def package(plugin: str, *, bundle: bool, include: tuple[str, ...], exclude: tuple[str, ...], **options: object) -> int:
    """Package a plugin and its rules for registries and `falcoctl artifact install`.

    Writes archives, an OCI image layout with their requirements, a bill of materials and checksums. It uploads nothing.
    """
    from lanner.cli.package import package_plugin

    return package_plugin(plugin, bundling=_choose_modules(include, exclude, bundle=bundle), **options)  # type: ignore[arg-type]


@commands.command()
@click.argument("directory", metavar="DIR")
@click.option(
    "--listen",
    default="127.0.0.1:8766",
    show_default=True,
    metavar="ADDRESS",
    help="127.0.0.1:PORT, [::1]:PORT, or unix:PATH; port 0 means any free port. Other addresses need --certificate.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Another name by which clients request this console, such as that of a proxy. May be repeated.",
)
@click.option("--certificate", default=None, metavar="FILE", help="Use TLS with this certificate (PEM).")
@click.option("--key", default=None, metavar="FILE", help="The certificate's key, if it is in another file.")
@click.option(
    "--token-file",
    default=None,
    metavar="FILE",
    help="Keep the token in FILE, which is created if missing. Default: a new token at each start.",
)
@click.option("--plugin", "plugins", multiple=True, metavar="PLUGIN", help="A plugin that explanations may load. May be repeated.")
@click.option("--config", default="", metavar="TEXT", help="The plugin's configuration for explanations: JSON or YAML, or @FILE.")
def console(**options: Any) -> int:
    """Show the alerts of a store in a browser.

    DIR is the directory of $.lanner.store_output. The first line on standard output is the address to open, with its token. To explain
    an alert, Lanner runs the run's plugin: a built-in or installed one, a file of a run on this machine, or one of --plugin.
    """
    from lanner.cli.console import serve_console

    return serve_console(**options)


@commands.command()
@click.argument("name")
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default="generator",
    show_default=True,
    help="Kind of the plugin: its event source, or `extractor` for fields of another plugin's events.",
)
def new(name: str, source: str) -> int:
    """Create a repository for a new plugin, in a directory NAME.

    It contains the plugin, rules, tests of both, a README with the table of fields, and a GitHub workflow, and passes its own checks.
    """
    from lanner.cli.newplugin import new_plugin

    return new_plugin(name, source)


@commands.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the names of all bundled files.")
@click.option("--licences", is_flag=True, help="Print the licences of a bundled plugin's contents.")
def inspect(file: str, *, as_json: bool, licences: bool) -> int:
    """Describe a plugin's .so: plugin, version, API, fields, and contents.

    FILE may be any Falco plugin. A file of `lanner build` is read and verified without running it. Any other file is loaded in a
    separate process, which runs its code: do so only with files that you would load into Falco.
    """
    from lanner.cli.inspect import inspect_file

    return inspect_file(file, as_json=as_json, licences=licences)


@commands.command(epilog=_PLUGIN)
@click.argument("plugin", required=False)
@click.option("-c", "file", default=None, metavar="FILE", help="The configuration file, falco.yaml, as for `lanner run`.")
@click.option("-r", "--rules", multiple=True, metavar="FILE", help="Rules files, as for `lanner run`; may be given several times.")
@click.option("--config", default=None, metavar="TEXT", help="The plugin's configuration: JSON or YAML, or @FILE.")
@click.option("--host", default=None, metavar="URL", help="The engine's address; short for the option `host` of --config.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(plugin: str | None, *, file: str | None, rules: tuple[str, ...], config: str | None, host: str | None, as_json: bool) -> int:
    """Check this setup, and show each problem with its fix.

    Checks engine, permissions, rules, configuration, outputs, clocks, Python and Falco. Changes nothing and sends no alerts.
    Without PLUGIN and -c it checks `lanner run docker`. Exit status: 0 no problems, perhaps warnings; 1 problems.
    """
    from lanner.cli.doctor import examine

    return examine(plugin, file, rules, config, host, as_json=as_json)


@commands.group()
def report() -> None:
    """Compare replays by their reports or alert stores."""


@report.command()
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the comparison; json contains every alert.",
)
def diff(first: str, second: str, *, layout: str) -> int:
    """Show two replays side by side: counts by rule, and the alerts that only one of them raised.

    FIRST and SECOND are reports, which `lanner run PLUGIN --replay FILE --report FILE` writes, or directories of alert stores, for
    example of the same recording with the rules before and after a change. Two alerts are the same if they have the same rule, priority,
    message and time of the event.

    Exit status: 0 success; 1 some alerts could not be compared.
    """
    from lanner.cli.runs.replay_diff import diff_replays

    return diff_replays(first, second, as_json=layout == "json")


@commands.command()
@click.argument("directory", metavar="[DIR]", required=False)
@click.option(
    "-c",
    "file",
    default=None,
    metavar="FILE",
    help="Configuration file with the store to show if DIR is missing. Default: /etc/lanner/falco.yaml.",
)
@click.option(
    "--filter", "text", default="", metavar="TEXT", help="Show only alerts that match, such as 'priority>=warning container:web'."
)
@click.option("--plugin", "plugins", multiple=True, metavar="PLUGIN", help="A plugin file whose code may run to explain an alert.")
@click.option("--config", default="", metavar="TEXT", help="The configuration of that plugin: JSON or YAML, or @FILE.")
def top(directory: str | None, *, file: str | None, text: str, plugins: tuple[str, ...], config: str) -> int:
    """Show the alerts of a store live on a terminal: rates, rules, subjects, engines.

    DIR is the directory of $.lanner.store_output.path, in which `lanner run` stores alerts. / narrows, Enter shows why an alert fired, q
    quits. Needs the extra top (Textual).
    """
    from lanner.cli.top import show_top

    return show_top(directory, file, text, plugins, config)


commands.add_command(rules)
commands.add_command(alerts)
