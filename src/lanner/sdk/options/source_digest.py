"""Digest of a module's source file, which tells whether it has changed."""

from _blake2 import blake2b  # hashlib also loads OpenSSL


def digest_of(path: str) -> str:
    """Return the digest of a file; "" if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=16).hexdigest()
    except OSError:
        return ""
