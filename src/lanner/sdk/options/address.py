"""Addresses whose text may contain a password, which they mask when printed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MASK: Final = "***"
# without a limit for the scheme, the time for a long word would be quadratic
_IN_TEXT: Final = r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^\s'\"<>]+"
_LOCAL: Final = frozenset({"unix", "npipe", "fd", "file"})


class Address:
    """An address, such as tcp://user:password@host:2376/path?query, that is printed without its secrets.

    `str`, `repr` and f-strings contain `***` instead of the credentials and the query. They also mask a user name without a password,
    because it may be an access token. With ssh:// it is only a login name and stays. `reveal` returns the whole address. Any string is
    accepted, so that an error about an invalid address can show it.
    """

    __slots__ = ("_text", "password", "place", "scheme", "user")

    def __init__(self, text: str) -> None:
        self._text = text
        scheme, separator, rest = text.partition("://")
        self.scheme: str = scheme if separator else ""
        """The text before ://, or an empty string."""
        self.user: str | None = None
        """The user name, or None. Percent escapes are decoded, as in `password`."""
        self.password: str | None = None
        """The password, or None."""
        self.place: str = rest if separator else text
        """The text after :// and the credentials: host, port, path and query; or the path of a local socket."""
        if self.scheme not in _LOCAL:
            self._split_credentials()

    def reveal(self) -> str:
        """Return the text with its secrets."""
        return self._text

    def __str__(self) -> str:
        if self.scheme in _LOCAL:
            return self._text
        scheme, separator, rest = self._text.rpartition("://") if not self.scheme else self._text.partition("://")
        # a password with a raw / or ? in it makes the address invalid, but must not be shown either
        credentials, at, place = rest.rpartition("@")
        query = min((place.find(mark) for mark in "?#" if mark in place), default=-1)
        if query >= 0:
            place = place[: query + 1] + MASK
        return scheme + separator + (self._mask(credentials) if at else "") + at + place

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Address) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def _split_credentials(self) -> None:
        from urllib.parse import unquote  # only a few addresses have credentials

        authority_end = min((self.place.find(mark) for mark in "/?#" if mark in self.place), default=len(self.place))
        credentials, at, _ = self.place[:authority_end].rpartition("@")
        if at:
            user, colon, password = credentials.partition(":")
            self.user, self.password = unquote(user), unquote(password) if colon else None
            self.place = self.place[len(credentials) + 1 :]

    def _mask(self, credentials: str) -> str:
        if self.scheme != "ssh":
            return MASK
        user, colon, _ = credentials.partition(":")
        return f"{user}:{MASK}" if colon else user


def mask_addresses(text: str) -> str:
    """Return the text with the secrets of all addresses in it masked, for text that others have made."""
    if "://" not in text:
        return text
    import re  # a .so starts without it

    return re.sub(_IN_TEXT, lambda found: str(Address(found[0])), text)
