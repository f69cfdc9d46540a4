"""The token of a console, kept in a file so that it survives restarts."""

from __future__ import annotations

import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import LannerError
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 24
_MOST: Final = 4096
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,200}")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(_BYTES)


def read_token(path: Path) -> str:
    """Return the token in a file, which is created with a random one if it does not exist. Raises `LannerError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _read(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = "name a file in a directory that exists and that this user may write"
        raise LannerError(f"--token-file: cannot create {path}: {reason}: {advice}") from None
    token = make_token()
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise LannerError(f"cannot write the token file {path}: {error.strerror}") from None
    return token


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & _OTHERS:
            raise LannerError(f"other users can read the token file {path}: chmod 600 it, and replace the token (remove the file)")
        token = read_whole(path, _MOST, pipes=False).decode("ascii", "replace").strip()
    except OSError as error:
        raise LannerError(f"cannot read the token file {path}: {error.strerror}") from None
    if not _TOKEN.fullmatch(token):
        raise LannerError(f"invalid token in {path}: 16 to 200 letters, digits, - and _; or remove the file, and a new one is created")
    return token
