"""`lanner console`: serve the alerts of a store to a browser until a signal."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.store_errors import NoDirectoryError
from lanner.cli.inquiry import make_inquiry
from lanner.cli.messages import OK, say
from lanner.cli.show import print_text
from lanner.console.api import Api
from lanner.console.console_server import Console, server_context
from lanner.console.listening import parse_address
from lanner.console.token import read_token
from lanner.host.stop import close_on_signal
from lanner.operating.notify import Notifier
from lanner.sdk.errors import LannerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def serve_console(
    directory: str,
    listen: str,
    hosts: Sequence[str],
    certificate: str | None,
    key: str | None,
    token_file: str | None,
    plugins: Sequence[str],
    config: str,
) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code. Raises `LannerError`."""
    if key and not certificate:
        raise UsageError("--key is the key of a certificate: add --certificate FILE")
    path = Path(directory)
    _check_store(path)
    address = parse_address(listen)
    inquiry = make_inquiry(plugins, config)
    ended = threading.Event()
    # not set by a signal's handler: it may interrupt `wait`, whose lock it would then wait for
    with close_on_signal(ended.set), contextlib.ExitStack() as stack:
        console = Console(
            Api(lambda: AlertStore(path), inquiry),
            address,
            token=read_token(Path(token_file)) if token_file else "",
            hosts=hosts,
            tls=server_context(certificate, key or "") if certificate else None,
        )
        stack.callback(console.close)
        stack.callback(inquiry.close)  # first: an answer may take long
        # a token in a file is not printed: a service's output is in a log that others read
        print_text(console.address if token_file else console.link)
        if token_file:
            say(f"the token is in {token_file}: add it to the address, after #token=")
        if address.path:
            say(f"to use it: ssh -L 8766:{os.path.abspath(address.path)} HOST, then http://127.0.0.1:8766/ with the token")  # noqa: PTH100
        notifier = Notifier()
        stack.callback(notifier.close)
        notifier.tell_ready(f"serving {directory} on {console.address}")
        ended.wait()
        notifier.tell_stopping()
    return OK


def _check_store(path: Path) -> None:
    """Warn if the store is missing or cannot be read: the console serves it as soon as it can. Raises NoDirectoryError."""
    try:
        with contextlib.closing(AlertStore(path)) as store:
            store.last()
            for error in store.problems.values():
                say(f"warning: {error}")
    except NoDirectoryError:
        raise
    except LannerError as error:
        say(f"warning: {error}")
