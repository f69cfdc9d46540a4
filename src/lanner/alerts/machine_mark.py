"""A mark of this machine in the description of a run: it tells a store of this machine from one that was copied here."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path
from typing import Final

MACHINE_ID: Final = "/etc/machine-id"
_PATH: Final = Path(MACHINE_ID)
_VALID: Final = re.compile(rb"[0-9a-fA-F]{32}")
"""An image of a machine that has not booted yet has the word `uninitialized`."""
_PURPOSE: Final = b"lanner alert store"


def machine_mark(run: str) -> str:
    """Return the mark of this machine for the run with this key; "" on a machine without a valid ID, such as a container.

    The mark does not contain the ID. Only this machine knows the ID and can make the mark.
    """
    try:
        identity = _PATH.read_bytes().strip()
    except OSError:
        return ""
    return hmac.new(identity, _PURPOSE + run.encode(), hashlib.sha256).hexdigest() if _VALID.fullmatch(identity) else ""
