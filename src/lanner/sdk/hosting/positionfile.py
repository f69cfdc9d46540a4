"""The position of a plugin's event source in the state directory: one file for each plugin."""

from __future__ import annotations

import os

from lanner.sdk.errors import SourceError
from lanner.sdk.hosting.statefile import StateFile, StateTexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from typing import Any, Final

    from lanner.sdk.authoring.plugin import PluginInfo

NO_STATE: Final = "none"
"""The name of no directory: no position is stored."""
VARIABLE: Final = "LANNER_STATE_DIRECTORY"
_INTERVAL: Final = 1.0
_VERSION: Final = 1
_SHOWN: Final = 60
_ADVICE: Final = f"name another directory ($.lanner.state_directory or {VARIABLE}), or `{NO_STATE}` to store no position"


def state_directory(configured: str = "") -> str | None:
    """Return the directory for state; None if it is configured as `none`.

    It is the first of: `configured`, LANNER_STATE_DIRECTORY, STATE_DIRECTORY (systemd), /var/lib/lanner for root, ~/.local/state/lanner.
    """
    own = configured or os.environ.get(VARIABLE, "")
    if own == NO_STATE:
        return None
    own = own or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if own:
        return os.path.expanduser(own)
    if os.geteuid() == 0:
        return "/var/lib/lanner"
    base = os.environ.get("XDG_STATE_HOME", "")
    return os.path.join(base if base.startswith("/") else os.path.expanduser("~/.local/state"), "lanner")


class PositionFile:
    """The file of a plugin in `directory`, which is created if missing. `forget`: the run begins without the stored position.

    Raises `SourceError` if no file can be written there, or another run uses it.
    """

    def __init__(self, directory: str, info: PluginInfo, *, forget: bool = False) -> None:
        self._info = info
        self._content: bytes | None = None
        self._position: Any = None
        self._failures = 0
        texts = StateTexts("position", _ADVICE, _ADVICE)
        path = os.path.join(directory, f"{info.name}.position")
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(f"cannot write the position {path}: {said.lower()}; {_ADVICE}") from None
        self._file = StateFile(path, _INTERVAL, texts, self._encode, self._count_failure, self._log, at_once=True)
        try:
            self.resumed: Any = None if forget else self._read()
            self._is_new = self.resumed is None
        except SourceError:
            self._file.close()
            raise

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._file.path

    @property
    def counters(self) -> Mapping[str, int]:
        """See `Positions`."""
        return {"position writes failed": self._failures} if self._failures else {}

    def advance(self, position: Any) -> None:
        """See `Positions`."""
        self._position = position
        self._file.change()
        if self._is_new:
            # without any position a restart would begin elsewhere, so do not wait for the thread
            self._is_new = False
            self._file.flush()

    def close(self) -> None:
        """Write the last position and unlock the file."""
        self._file.close()

    def _log(self) -> logging.Logger:
        import logging  # rare, and slow to import

        return logging.getLogger(f"lanner.plugin.{self._info.name}")

    def _count_failure(self) -> None:
        self._failures += 1

    def _encode(self) -> bytes:
        from json import dumps  # unlike msgspec it keeps large integers and lone surrogates

        info = self._info
        found = {"version": _VERSION, "plugin": info.name, "id": info.id, "plugin_version": info.version, "position": self._position}
        return dumps(found).encode() + b"\n"

    def _read(self) -> Any:
        text = self._file.read()
        if text is None:
            return None
        try:
            return self._decode(text)
        except (ValueError, RecursionError) as error:
            self._file.set_aside(str(error))
            return None

    def _decode(self, text: bytes) -> Any:
        from json import loads

        found = loads(text)
        if not isinstance(found, dict) or "position" not in found:
            raise ValueError("it is not a file of a position")
        version, plugin, number, by = (repr(found.get(name))[:_SHOWN] for name in ("version", "plugin", "id", "plugin_version"))
        if version != repr(_VERSION):
            raise ValueError(f"it has version {version}, but this Lanner only supports version {_VERSION}")
        if (plugin, number) != (repr(self._info.name), repr(self._info.id)):
            raise ValueError(f"it belongs to the plugin {plugin} with the id {number}")
        if by != repr(self._info.version):
            self._log().info("resuming from a position that version %s of the plugin has stored", by)
        return found["position"]
