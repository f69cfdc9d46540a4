"""`lanner record`: write a plugin's events to a file for `lanner run --replay`."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time

from lanner.cli.messages import OK, say
from lanner.cli.plugin_config import make_plugin
from lanner.host.plugin_files import list_plugin_files
from lanner.host.plugin_loader import load_plugin
from lanner.host.recording import record_line
from lanner.host.stop import close_on_signal
from lanner.outputs.base import OutputError
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import UsageError
from lanner.sdk.files import check_apart
from lanner.sdk.hosting.inputs import Inputs
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.text.encoding import many


def record_plugin(
    name: str, output: str, params: str, config: str, host: str | None, max_events: int | None, duration: float | None
) -> int:
    """Record until the source ends, Ctrl-C, or a limit. Return the exit code. Raises `LannerError`.

    Standard output may be the recording, so the plugin's own output goes to standard error.
    """
    with contextlib.redirect_stdout(sys.stderr):
        return _record(name, output, params, config, host, max_events, duration)


def _record(name: str, output: str, params: str, config: str, host: str | None, max_events: int | None, duration: float | None) -> int:
    cls = load_plugin(name)
    info = plugin_info(cls)
    if info.event_source is None:
        sources = ", ".join(info.shown_sources)
        raise UsageError(
            f"the plugin {info.name} has no event source, so there is nothing to record: record with the plugin of its events ({sources})"
        )
    written: list[tuple[str, str | int]] = [("-o", 1 if output == "-" else output)]
    check_apart(written, list_plugin_files(cls, config))
    plugin = make_plugin(cls, config, host)
    source = open_source(plugin, params, inputs=Inputs(lambda inputs: check_apart(written, inputs.list_files([output]))))
    # the file is opened second and truncated with the first batch: if the source cannot be opened, an existing recording stays
    try:
        if output == "-":
            target = os.dup(1)
        else:
            target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            os.set_blocking(target, True)  # only opening a pipe without a reader must not block
    except OSError as error:
        source.close()
        raise _failure(output, error) from None
    events = 0
    with os.fdopen(target, "wb") as file:
        try:
            with close_on_signal(source.close, duration), contextlib.closing(source):
                say(f"recording {source.description or info.event_source} to {output}; Ctrl-C ends it")
                ended, stale = False, output != "-"
                while not ended and events != max_events:
                    batch = source.next_batch(3600.0)
                    if stale and stat.S_ISREG(os.fstat(target).st_mode):
                        os.ftruncate(target, 0)
                    stale, ended = False, batch.ended
                    payloads = batch.payloads if max_events is None else batch.payloads[: max_events - events]
                    for place, payload in enumerate(payloads):
                        known = batch.timestamps[place] if batch.timestamps else None
                        file.write(record_line(payload, time.time_ns() if known is None else known, info) + b"\n")
                    events += len(payloads)
                    file.flush()
        except OSError as error:
            # closing the file would try again, and fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), target)
            if not isinstance(error, BrokenPipeError):
                raise _failure(output, error) from None
    say(f"{many(events, 'event')} recorded")
    return OK


def _failure(output: str, error: OSError) -> OutputError:
    reason = "it is a pipe that no process reads, or a socket" if error.errno == errno.ENXIO else error.strerror
    return OutputError(f"cannot write the recording to {output}: {reason}")
