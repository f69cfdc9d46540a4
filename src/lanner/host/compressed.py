"""Decompress a recording (plain, gzip or zstd) in bounded pieces.

The file's first bytes decide the format, not its name. The caller reads the file and passes its bytes.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_STEP: Final = 1024
_INSTALL: Final = f"{sys.executable} -m pip install zstandard"
_UNSUPPORTED: Final = {
    b"\xfd7zXZ\x00": "xz",
    **{b"BZh%d" % level: "bzip2" for level in range(1, 10)},
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
}
"""Compressions by the first bytes of their files."""
HEAD: Final = 6
"""Number of bytes that decide the format."""


def check_head(path: str, head: bytes) -> None:
    """Raise `SourceError` if a file that begins with `head` cannot be decompressed here."""
    if head.startswith(_ZSTD):
        _zstd(path)
    for begin, name in _UNSUPPORTED.items():
        if head.startswith(begin):
            raise SourceError(f"the recording {path} is compressed with {name}: decompress it, or use gzip or zstd")


class Unpacker:
    """Decompressor for one file: `feed` takes input, then the caller asks `pieces` until it returns nothing.

    Pieces are bounded, so that a small file that decompresses to a very large one needs no more memory than others.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._head = b""
        self._waiting = b""
        self._open: Callable[[], Any] | None = None
        self._stream: Any = None
        self._is_known = False
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take bytes of the file; b"" means end of file."""
        self._ended = not data
        if self._is_known:
            self._waiting += data
            return
        self._head += data
        if len(self._head) >= HEAD or self._ended:
            self._is_known = True
            self._waiting, self._head = self._head, b""
            check_head(self._path, self._waiting)
            if self._waiting.startswith(_GZIP):
                self._open = lambda: zlib.decompressobj(31)
            elif self._waiting.startswith(_ZSTD):
                self._open = _zstd(self._path)

    def piece(self) -> bytes:
        """Return the next bytes of the recording, or b"" if more input is needed. Raises `SourceError` for a damaged file."""
        if self._open is None:
            if not self._is_known:
                return b""
            data, self._waiting = self._waiting, b""
            return data
        while True:
            if self._stream is None:
                # zeros may fill the last block of a tape; any other trailing data must be compressed
                if not self._waiting.strip(b"\0"):
                    self._waiting = b""
                    return b""
                self._stream = self._open()
            try:
                data = self._stream.decompress(self._waiting, _PIECE)
            except Exception as error:  # noqa: BLE001 - each library has its own
                raise SourceError(f"the recording {self._path} is damaged: {error}") from None
            if self._stream.eof:
                self._waiting = self._stream.unused_data
                self._stream = None
            else:
                self._waiting = getattr(self._stream, "unconsumed_tail", b"")
            if data:
                return bytes(data)
            if self._stream is not None and not self._waiting:
                if self._ended:
                    raise SourceError(f"the recording {self._path} is truncated: its compressed data has no end")
                return b""


def _zstd(path: str) -> Callable[[], Any]:
    try:
        from compression.zstd import ZstdDecompressor  # type: ignore[import-not-found, unused-ignore]  # Python 3.14
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise SourceError(f"the recording {path} is compressed with zstd: {_INSTALL}, or decompress it") from None
        return lambda: _SteppingDecompressor(zstandard.ZstdDecompressor())
    return lambda: _BufferingDecompressor(ZstdDecompressor())


class _BufferingDecompressor:
    """Python's decompressor, which keeps unconsumed input."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def decompress(self, data: bytes, limit: int) -> bytes:
        result: bytes = self._inner.decompress(data, limit)
        return result

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    @property
    def unconsumed_tail(self) -> bytes:
        return b""


class _SteppingDecompressor:
    """The zstandard package's decompressor. Small inputs bound its output, since a frame's ratio is bounded."""

    def __init__(self, decompressor: Any) -> None:
        self._inner = decompressor.decompressobj()
        self.unconsumed_tail = b""

    def decompress(self, data: bytes, limit: int) -> bytes:
        parts: list[bytes] = []
        begin = size = 0
        while begin < len(data) and size < limit and not self._inner.eof:
            parts.append(self._inner.decompress(data[begin : begin + _STEP]))
            size += len(parts[-1])
            begin += _STEP
        self.unconsumed_tail = data[begin:]
        return b"".join(parts)

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data) + self.unconsumed_tail
