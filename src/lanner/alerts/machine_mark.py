"""A mark of this machine in the description of a run: it tells a store of this machine from one that was copied here."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

_ID: Final = Path("/etc/machine-id")
_PURPOSE: Final = b"lanner alert store"


def machine_mark(run: str) -> str:
    """Return the mark of this machine for the run with this key; "" on a machine without an ID, such as a container.

    The mark does not contain the ID. Only this machine knows the ID and can make the mark.
    """
    try:
        identity = _ID.read_bytes().strip()
    except OSError:
        return ""
    return hmac.new(identity, _PURPOSE + run.encode(), hashlib.sha256).hexdigest() if identity else ""
