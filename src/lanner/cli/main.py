"""The command `lanner`: `--version` directly, everything else through click.

Modules are imported only when they are needed. Every expected error becomes one message on standard error.
"""

import gc
import os
import signal
import sys
import time

from lanner.cli.messages import FAILED, OK, USAGE, add, exit_code, fail
from lanner.sdk.signals import end_unless_repeated

_AGAIN = 0.001
_MOST_NEW_OBJECTS = 10_000
"""New objects after which the collector of garbage looks for some among them."""
_signal = 0
"""The signal that ends the command."""
_heard = 0.0


def main() -> None:
    """Run the command line and end the process."""
    try:
        _hear_signals()
        _open_closed_streams()
        code = _run_to_stdout()
        _ignore_signals()
    except KeyboardInterrupt:
        code = _end_by_signal()
        _ignore_signals()
    gc.freeze()  # the process ends: its last two searches for garbage would take a twentieth of a short run
    sys.exit(code)


def _run_to_stdout() -> int:
    code = OK
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()  # the reader has closed the pipe
    except OSError as error:
        _forget_stdout()
        code = code or fail(f"cannot write to standard output: {error.strerror}")
    return code


def _hear_signals() -> None:
    """Let a signal end the command by an exception, with a message. A run handles signals itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _raise_later


def _end(number: int, _: object) -> None:
    """Raise the exception once. A second signal ends the process at once, as code may have caught the exception."""
    global _signal, _heard  # the exception is turned into others on its way
    if not _signal:
        _signal, _heard = number, time.monotonic()
        raise KeyboardInterrupt
    end_unless_repeated(_heard, number)


def _raise(*_: object) -> None:
    raise KeyboardInterrupt


def _raise_later(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise the exception again if it cannot leave the code that the signal interrupted: a finaliser, such as those of imports' locks."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def _end_by_signal() -> int:
    return fail(f"ended by {signal.Signals(_signal or signal.SIGINT).name}", 128 + (_signal or signal.SIGINT))


def _ignore_signals() -> None:
    """Ignore signals from here on: while Python ends, they would only change the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def _open_closed_streams() -> None:
    """Replace closed standard streams by ones that fail: otherwise alerts could go into the next opened file."""
    for number, name, flags in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None and os.open(os.devnull, flags) == number:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _run() -> int:
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        from lanner import __version__

        sys.stdout.write(f"lanner {__version__}\n")
        return OK
    # imports make tens of thousands of objects that stay: traversing them after each 700 takes 3 % of a start
    gc.set_threshold(_MOST_NEW_OBJECTS)
    from lanner.cli.commands import commands
    from lanner.operating.logs import setup_logs
    from lanner.sdk.errors import LannerError

    setup_logs("warning", "text")  # without secrets; a run has its own configuration
    try:
        code = commands.main(standalone_mode=False)
    except LannerError as error:
        if os.environ.get("LANNER_DEBUG"):
            return _show_traceback(error, exit_code(error))
        first, *more = error.lines()
        return fail(first, exit_code(error), more=more)
    except SystemExit:
        # click ends this way if standard output was closed
        raise BrokenPipeError from None
    except Exception as error:  # noqa: BLE001 - the last one to hear of it
        return _usage(error)
    return code if isinstance(code, int) else OK


def _usage(error: Exception) -> int:
    import click

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{error.ctx.get_help() if error.ctx else error.format_message()}\n")
        return USAGE
    if isinstance(error, click.ClickException):
        message = error.format_message()
        context = getattr(error, "ctx", None)
        hint = [f"Try: {context.command_path} --help"] if context else []
        if (
            context
            and "unexpected extra argument" in message
            and any(getattr(option, "multiple", False) for option in context.command.params)
        ):
            hint.insert(0, "An option takes one value: quote a pattern, or repeat the option for each file")
        return fail(message, USAGE, more=hint)
    if isinstance(error, click.Abort):
        return _end_by_signal()
    if os.environ.get("LANNER_DEBUG"):
        return _show_traceback(error, FAILED)
    from lanner.cli.faults import describe_fault

    if fault := describe_fault(error):
        return fail(fault)
    from lanner.sdk.author_code import place_to_blame

    place = place_to_blame(error)
    whose = "This is a bug in that file, not in Lanner" if place else "This is a bug in Lanner. Please report it"
    return fail(f"{type(error).__name__}: {error}{place}", more=[f"{whose}; LANNER_DEBUG=1 shows a traceback."])


def _show_traceback(error: Exception, code: int) -> int:
    """Print the traceback, without secrets, and return the exit code."""
    from lanner.sdk.hosting.loglines import traceback_text

    add(traceback_text(error), "error")
    return code


def _forget_stdout() -> None:
    # Python flushes standard output at exit and would report the error again
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
