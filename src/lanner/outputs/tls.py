"""TLS to servers that alerts go to: certificates in, an `ssl` context out."""

from __future__ import annotations

import ssl
from pathlib import Path

from lanner.outputs.base import OutputError
from lanner.sdk.files import check_regular


def client_context(
    *, insecure: bool = False, ca_file: str = "", ca_path: str = "", client_cert: str = "", client_key: str = "", where: str = ""
) -> ssl.SSLContext:
    """Trusts whom the files name, else the system's authorities; with `insecure` anybody. `where` is the block for messages.

    Raises `OutputError` for files that cannot be used.
    """
    for file in filter(None, (ca_file, client_cert, client_key)):
        try:
            check_regular(file)
        except OSError as error:
            raise OutputError(f"cannot read {file} ({where}): {error.strerror or error}") from None
    if ca_path:
        try:
            next(Path(ca_path).iterdir(), None)  # OpenSSL takes a directory that it cannot read for an empty one, and then trusts no server
        except OSError as error:
            raise OutputError(f"cannot read the directory {ca_path} ({where}): {error.strerror or error}") from None
    try:
        context = ssl.create_default_context(cafile=ca_file or None, capath=ca_path or None)
    except OSError as error:
        raise OutputError(f"cannot use {ca_file or ca_path} ({where}) as certificates: {error.strerror or error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:

        def no_passphrase() -> str:
            raise OutputError(f"the key {client_key} ({where}) has a passphrase, and nobody is there to be asked: write it without one")

        try:
            context.load_cert_chain(client_cert, client_key or None, no_passphrase)
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"cannot use {client_cert} with {client_key or 'its key'} ({where}): {error.strerror or error}") from None
    return context
