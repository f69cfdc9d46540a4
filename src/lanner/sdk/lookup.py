"""Look up the addresses of a host name with a deadline, which the system's resolver does not support."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Addresses = Sequence[tuple[Any, ...]]  # the result of getaddrinfo


def look_up(host: str, port: int, wait: Callable[[int], object]) -> Addresses:
    """Return the result of `socket.getaddrinfo` for a stream to `host`.

    `wait` waits until a descriptor is readable, and raises an exception at its deadline. The thread that calls the resolver then
    continues until the answer arrives. Raise `OSError` if the name cannot be resolved.
    """
    import socket  # a plugin on a unix socket starts without it

    # for a string Python imports the tables of other letters, which a bundled plugin may not contain
    name = host.encode() if host.isascii() else host
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        pass
    except LookupError:
        raise OSError(
            "the host name has letters outside ASCII, which this plugin was built without: write its ASCII form (xn--...), "
            "or build the plugin with --include encodings.idna"
        ) from None
    import _thread  # not `threading`: a host's process need not have it

    found: list[Addresses | OSError] = []
    done, done_by_thread = os.pipe()

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)
        except ValueError:
            found.append(OSError("invalid host name"))
        finally:
            os.close(done_by_thread)

    try:
        _thread.start_new_thread(ask, ())
        wait(done)
    except RuntimeError as error:
        os.close(done_by_thread)
        raise OSError(str(error)) from None
    finally:
        os.close(done)
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
