"""The commands of `lanner rules`, as click declares them. What they do stands in the modules of their names."""

from __future__ import annotations

import click


@click.group(no_args_is_help=True)
def rules() -> None:
    """Check rules files, explain why a rule fired or not, and test rules on recorded events."""
