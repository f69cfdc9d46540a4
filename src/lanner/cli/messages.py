"""What the command tells a person on stderr, and its process by the exit status."""

import sys

# What the process's exit status says
OK, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3


def say(text: str) -> None:
    """Tell a person something, on stderr. Control characters in it, as others may have sent them, come out as escapes."""
    shown = "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text)
    sys.stderr.write(f"lanner: {shown}\n")
    sys.stderr.flush()


def fail(message: str, code: int = FAILED) -> int:
    """Say on stderr what is wrong; gives the exit code."""
    say(f"error: {message}")
    return code


def many(count: int, what: str) -> str:
    """A number of things."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
