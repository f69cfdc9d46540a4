"""The commands of `lanner alerts`, declared with click. The modules that they import implement them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from lanner.cli.paths import PathGroup

if TYPE_CHECKING:
    from collections.abc import Callable

_DIRECTORY = click.argument("directory", metavar="DIR")
_FILTER = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""Settings of a command whose filter may begin with `-`: it has no short options."""


def _moment(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from lanner.sdk.text.moments import parse_moment

    try:
        return parse_moment(value, time.time_ns())
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is {error}", context, option) from None


def _choice(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that choose alerts of a store."""
    options = (
        click.option(
            "--since", callback=_moment, metavar="TIME", help="Only alerts that arrived since this time: 1h, 2026-01-31T12:00:00Z."
        ),
        click.option("--until", callback=_moment, metavar="TIME", help="Only alerts that arrived before this time."),
        click.option("--limit", type=click.IntRange(min=1), default=None, metavar="N", help="Only the newest N alerts."),
        click.option("--reverse", is_flag=True, help="Print the newest alert first."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _format(default: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    kinds = click.Choice(["text", "json"], case_sensitive=False)
    return click.option("--format", "layout", type=kinds, default=default, show_default=True, help="Format of the alerts.")


@click.group(cls=PathGroup, no_args_is_help=True)
def alerts() -> None:
    """Search, show and export the alerts of an alert store.

    DIR is the directory of $.lanner.store_output.path, in which `lanner run` stores alerts. A run may write it at the same time.
    """


@alerts.command(context_settings=_FILTER)
@_DIRECTORY
@click.argument("filters", nargs=-1, metavar="[FILTER]")
@_format("text")
@click.option("--keys", is_flag=True, help="Print before each alert its key, for `lanner alerts show`.")
@_choice
def search(directory: str, filters: tuple[str, ...], **options: Any) -> int:
    """Print the alerts that match FILTER, in order of their arrival.

    \b
    lanner alerts search DIR 'rule:"Volume destroyed" name'
    lanner alerts search DIR 'priority>=warning container:web-* -test' --since 1h

    Words are searched in the rule's name, the output and the values of fields. docs/alert-search.md describes filters.

    Exit status: 0 success, even if no alert matches; 1 a part of the store cannot be read.
    """  # noqa: D301
    from lanner.cli.alert_search import print_alerts
    from lanner.sdk.text.misspelt import find_near

    context = click.get_current_context()
    if options["keys"] and options["layout"] == "json":
        raise click.UsageError("--keys needs --format text", context)
    known = [name for option in context.command.params for name in option.opts if name.startswith("--")]
    for word in filters:
        if word.startswith("--"):
            raise click.NoSuchOption(word, possibilities=[near] if (near := find_near(word, known)) else None, ctx=context)
    return print_alerts(directory, " ".join(filters), is_search=True, **options)


@alerts.command()
@_DIRECTORY
@_format("json")
@_choice
def export(directory: str, **options: Any) -> int:
    """Print all alerts in order of their arrival: with --format json exactly the lines that `json_output` prints.

    Exit status: 0 success; 1 a part of the store cannot be read.
    """
    from lanner.cli.alert_search import print_alerts

    return print_alerts(directory, "", is_search=False, **options)


@alerts.command()
@_DIRECTORY
@click.argument("key")
@_format("text")
@click.option("--exception", "with_exception", is_flag=True, help="Also show an exception for alerts like this one, and its effect.")
@click.option("--plugin", "plugins", multiple=True, metavar="PLUGIN", help="A plugin that the explanation may load. May be repeated.")
@click.option("--config", default="", metavar="TEXT", help="The plugin's configuration for the explanation: JSON or YAML, or @FILE.")
def show(directory: str, key: str, **options: Any) -> int:
    """Show an alert with its fields and its event, and why it fired.

    KEY names an alert permanently: 1f0c22ab-17 is the 17th alert of a run. `lanner alerts search --keys` prints the keys. KEY may
    also be a link to the alert (%lanner.link). To explain the alert, Lanner runs the run's plugin: a built-in or installed one, a file of
    a run on this machine, or one of --plugin.

    Exit status: 0 success; 1 the store does not have the alert.
    """
    from lanner.cli.alert_show import show_alert

    return show_alert(directory, key, **options)
