"""TLS: builds `ssl` contexts from the user's files, for clients and servers. An error names a file by its path, never by its content.

`ssl` is imported when a context is made: most engines use a unix socket.
"""

from __future__ import annotations

import os

from lanner.sdk.files import check_regular
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import NoReturn


class TlsError(OSError):
    """Unusable files, or a failed handshake: a whole sentence with the fix."""


class Tls(NamedTuple):
    """Paths of PEM files; "" for none. Without `ca` and `ca_folder` the system's authorities apply. `verify` false trusts any server."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True
    ca_folder: str = ""
    """A directory of authorities, named by their hashes."""


def make_context(tls: Tls) -> ssl.SSLContext:
    """Return a context of these files. Raises `TlsError` for an unusable file."""
    try:
        import ssl
    except ImportError:  # a Python built without OpenSSL, or a bundled plugin that was built with --exclude ssl
        raise TlsError("TLS needs Python's module ssl, which is missing here") from None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca or tls.ca_folder:
        _trust(context, tls)
    else:
        context.load_default_certs()
    if tls.cert:
        _load_own(context, tls)
    return context


def make_server_context(certificate: str, key: str = "") -> ssl.SSLContext:
    """Return a context of a server with these PEM files; "": the key is in the file of the certificate. Raises `TlsError`."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, Tls(cert=certificate, key=key))
    return context


def _trust(context: ssl.SSLContext, tls: Tls) -> None:
    import ssl

    if tls.ca:
        _try_to_read("authority", tls.ca)
    if tls.ca_folder:
        _try_to_list(tls.ca_folder)
    try:
        context.load_verify_locations(tls.ca or None, tls.ca_folder or None)
    except ssl.SSLError:
        raise TlsError(f"the TLS authority {tls.ca or tls.ca_folder} contains no certificate in PEM form") from None


def _load_own(context: ssl.SSLContext, tls: Tls) -> None:
    import ssl

    _try_to_read("certificate", tls.cert)
    if tls.key:
        _try_to_read("key", tls.key)
    key = tls.key or tls.cert
    try:
        context.load_cert_chain(tls.cert, tls.key or None, _refuse_password(key))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"the TLS key {key} does not belong to the certificate {tls.cert}") from None
        if not tls.key:
            raise TlsError(f"the TLS certificate {tls.cert} is not a PEM file of a certificate and its key") from None
        raise TlsError(f"the TLS certificate {tls.cert} or its key {key} is not a PEM file of a certificate or key") from None


def _try_to_read(what: str, path: str) -> None:
    # OpenSSL's own error does not name the file
    try:
        check_regular(path)
    except OSError as error:
        from lanner.sdk.text.printable import printable_line  # rare

        raise TlsError(f"cannot read the TLS {what} {printable_line(path)}: {(error.strerror or str(error)).lower()}") from None


def _try_to_list(folder: str) -> None:
    # OpenSSL treats an unreadable directory as empty, and then trusts no server
    try:
        os.listdir(folder)
    except OSError as error:
        raise TlsError(f"cannot read the directory {folder} of TLS authorities: {(error.strerror or str(error)).lower()}") from None


def _refuse_password(key: str) -> Callable[[], NoReturn]:
    def refuse() -> NoReturn:  # without it OpenSSL would ask at the terminal
        raise TlsError(f"the TLS key {key} is encrypted; write it without a passphrase into a file that only its reader can read")

    return refuse
