"""A module of a package beside a plugin."""

from . import __doc__ as doc
from .other import ENCODING


def encode(item: str) -> bytes:
    assert doc == "A package beside a plugin."
    return item.encode(ENCODING, "surrogateescape")
