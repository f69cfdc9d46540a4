"""Commands that refuse an empty path: `Path("")` is the working directory, and an unset variable in a script gives one."""

from __future__ import annotations

from typing import Any, Final

import click

_PATHS: Final = frozenset({"FILE", "FILE|-", "DIR", "PATH", "[DIR]", "[FILE]...", "FILES...", "FIRST", "SECOND"})
"""The metavars of paths."""


class PathCommand(click.Command):
    """A command. Raises `click.UsageError` for an empty path."""

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Command`."""
        for parameter in self.params:
            name = parameter.name or ""
            given = ctx.params.get(name)
            is_empty = "" in (given if isinstance(given, tuple) else (given,))
            # the default of some options is "" for none
            shown = parameter.metavar or name.upper()
            if shown in _PATHS and is_empty and ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
                shown = parameter.opts[-1] if isinstance(parameter, click.Option) else shown
                raise click.UsageError(f"{shown} is empty: write a path", ctx)
        return super().invoke(ctx)


class PathGroup(click.Group):
    """A group of such commands."""

    command_class = PathCommand
    group_class = type
