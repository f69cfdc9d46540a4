"""The kinds of plugins that `lanner new` creates. Each has a directory of `templates/`."""

from typing import Final

EXTRACTOR: Final = "extractor"
SOURCES: Final = ("generator", "poll", "webhook", "tail", "program", EXTRACTOR)
_REQUIRED: Final = {"poll": " --config 'token: test'", "webhook": " --config 'secret: test'"}


def run_command(source: str) -> str:
    """Return the command that runs a new plugin, with `@NAME@` for its name: an extractor needs the plugin of the events."""
    return "lanner run -c falco.yaml" if source == EXTRACTOR else f"lanner run @NAME@{_REQUIRED.get(source, '')}"


def doctor_command(source: str) -> str:
    """Return the command that checks the setup of a new plugin."""
    return f"lanner doctor @NAME@{_REQUIRED.get(source, '')}"


def replay_command(source: str) -> str:
    """Return the command that replays the recording of a new plugin."""
    return f"{run_command(source)} --replay {'src/lanner_@MODULE@/example.jsonl' if source == EXTRACTOR else 'example'}"
