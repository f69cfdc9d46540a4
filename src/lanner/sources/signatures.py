"""Proofs that a webhook's request comes from its sender: an HMAC of the body, or a token in a header.

`webhook` calls `check` with the request and one secret. Every comparison takes the same time for right and wrong strings.
"""

from __future__ import annotations

import hmac
import re
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from lanner.sdk.records import Record
from lanner.sdk.text.encoding import to_bytes
from lanner.sources.arguments import argument_error, check_choice, check_seconds, check_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_BODY: Final = "body"
_PLACE: Final = re.compile(r"\{([^{}]+)\}")


class WebhookRequest(NamedTuple):
    """A request to a webhook. `target` is the path with the query; the names of `headers` are in lower case."""

    target: str
    headers: Mapping[str, str]
    body: bytes


class Signature(Protocol):
    """A scheme that authenticates the sender of a request: any class with this method."""

    def check(self, request: WebhookRequest, secret: bytes) -> bool:
        """Return whether the request was made with the secret. Compare with `hmac.compare_digest`."""
        ...


class Hmac(Record):
    """A signature of the body in a header; by default GitHub's `X-Hub-Signature-256: sha256=...`.

    `message` is the signed text: `{body}`, perhaps with strings and headers before it, such as
    `v0:{X-Slack-Request-Timestamp}:{body}`. If `time_header` names a header with seconds since 1970, a request that differs by more
    than `max_age` seconds from the clock is refused, so that it cannot be repeated later. The header may have several signatures,
    separated by blanks.
    """

    header: str = "X-Hub-Signature-256"
    prefix: str = "sha256="
    digest: str = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    message: str = "{body}"
    time_header: str = ""
    max_age: float = 300.0

    def __post_init__(self) -> None:
        """Raise `UsageError` for a scheme that cannot be computed."""
        check_text("Hmac", header=self.header, prefix=self.prefix, digest=self.digest, message=self.message, time_header=self.time_header)
        check_seconds("Hmac", max_age=self.max_age)
        check_choice("Hmac", ("hex", "base64"), encoding=self.encoding)
        try:
            hmac.new(b"", b"", self.digest)
        except ValueError:
            raise argument_error("Hmac", f"unknown digest {self.digest!r}: write a name of hashlib, such as sha256") from None
        if _BODY not in _PLACE.split(self.message)[1::2]:
            raise argument_error("Hmac", f"message is {self.message!r}; it must contain {{body}}")

    def check(self, request: WebhookRequest, secret: bytes) -> bool:
        """See `Signature`."""
        message = _message(self.message, request)
        if message is None or not self._is_recent(request):
            return False
        digest = hmac.new(secret, message, self.digest)
        found = digest.hexdigest() if self.encoding == "hex" else b64encode(digest.digest()).decode()
        return _has(request.headers.get(self.header.lower(), "").split(), self.prefix + found)

    def _is_recent(self, request: WebhookRequest) -> bool:
        if not self.time_header:
            return True
        text = request.headers.get(self.time_header.lower(), "")
        return text.isascii() and text.isdigit() and len(text) < 16 and abs(time.time() - int(text)) <= self.max_age


class Token(Record):
    """The secret itself in a header: `Authorization`, or GitLab's `X-Gitlab-Token`. Use it only with TLS. `prefix`: such as `Bearer `."""

    header: str = "Authorization"
    prefix: str = ""

    def __post_init__(self) -> None:
        """Raise `UsageError` for invalid arguments."""
        check_text("Token", header=self.header, prefix=self.prefix)

    def check(self, request: WebhookRequest, secret: bytes) -> bool:
        """See `Signature`."""
        return hmac.compare_digest(to_bytes(request.headers.get(self.header.lower(), "")), to_bytes(self.prefix) + secret)


def _has(texts: list[str], wanted: str) -> bool:
    # no early end: the time must not depend on the place of the difference
    return sum(hmac.compare_digest(to_bytes(text), to_bytes(wanted)) for text in texts) > 0


def _message(template: str, request: WebhookRequest) -> bytes | None:
    """Return the signed text, or None if a header is missing."""
    parts: list[bytes] = []
    for place, part in enumerate(_PLACE.split(template)):
        if place % 2 == 0:
            parts.append(to_bytes(part))
        elif part == _BODY:
            parts.append(request.body)
        elif (value := request.headers.get(part.lower())) is not None:
            parts.append(to_bytes(value))
        else:
            return None
    return b"".join(parts)
