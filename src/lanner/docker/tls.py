"""The TLS client of a link to an engine, without a socket: converts between network bytes and the engine's bytes.

`Session` takes received bytes and returns those to send. So the link sends, which keeps SIGPIPE from the
host, and waits with poll(2): no data is pending where poll cannot see it. `ssl` is imported when a session begins: most
engines use a unix socket. Errors are a `TlsError` that names files by their paths, never by their content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.net.tls import TlsError, make_context

if TYPE_CHECKING:
    import ssl

    from lanner.net.tls import Tls

_READ_SIZE: Final = 64 * 1024
# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH; X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_OTHER_NAME: Final = frozenset({62, 64})
_OUT_OF_TIME: Final = frozenset({9, 10})
# OpenSSL's errors for bytes that are not TLS
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
# Alerts of a server that requires a certificate and gets none or an invalid one; the alert depends on its version
_CERTIFICATE_ALERTS: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE", "DECRYPT_ERROR")


class Session:
    """The client's side of one TLS connection to `host`. Raises `TlsError` for an invalid file."""

    def __init__(self, tls: Tls, host: str) -> None:
        try:
            import ssl
        except ImportError:  # a Python built without OpenSSL, or a bundled plugin that was built with --exclude ssl
            raise TlsError("TLS needs Python's module ssl, which is missing here") from None

        self.ended = False  # the engine has ended its data
        self._tls = tls
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = make_context(tls).wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake_hands(self, data: bytes | None) -> bool:
        """Process the engine's bytes (None: it has closed) and continue the handshake. Return whether it is done."""
        import ssl

        self._take(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise self._explained(error) from None
        return True

    def to_send(self) -> bytes:
        """Return the bytes to send to the engine."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> None:
        """Encrypt `data` for sending."""
        import ssl

        try:
            while data:
                data = data[self._object.write(data) :]
        except ssl.SSLError as error:
            raise self._explained(error) from None

    def decrypt(self, data: bytes | None) -> bytes | None:
        """Return the data in the engine's bytes (None: it has closed), as far as records are complete; None at the end."""
        import ssl

        self._take(data)
        parts = []
        try:
            while part := self._object.read(_READ_SIZE):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # closed, cleanly or not: HTTP determines whether the response is complete
            pass
        except ssl.SSLError as error:
            raise self._explained(error) from None
        self.ended = True
        return b"".join(parts) or None

    def _take(self, data: bytes | None) -> None:
        if data is None:
            self._incoming.write_eof()
        else:
            self._incoming.write(data)

    def _explained(self, error: ssl.SSLError) -> TlsError:
        import ssl

        if isinstance(error, ssl.SSLCertVerificationError):
            said = error.verify_message.rstrip(".")
            if error.verify_code in _OTHER_NAME:
                return TlsError(f"the engine's certificate is issued for another name: {said}. Name the engine as its certificate does")
            advice = "Is the clock right?" if error.verify_code in _OUT_OF_TIME else _ca_advice(self._tls)
            return TlsError(f"the engine's certificate is not trusted: {said}. {advice}")
        reason = error.reason or ""
        said = reason.lower().replace("_", " ") or str(error)
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):  # Python 3.11.2 and 3.11.7 raise different ones
            return TlsError("it closed the connection during the TLS handshake. Is this a TLS port?")
        if reason in _NOT_TLS:
            return TlsError(f"it does not answer in TLS ({said}). Is this a TLS port?")
        if "ALERT" in reason and any(word in reason for word in _CERTIFICATE_ALERTS):
            if self._tls.cert:
                return TlsError(
                    f"the engine rejects the client certificate {self._tls.cert} ({said}). Is it signed by the engine's --tlscacert?"
                )
            return TlsError(
                f"the engine requires a client certificate ({said}). Name one with its key: `cert` and `key` of `tls`, or DOCKER_CERT_PATH"
            )
        return TlsError(f"TLS failed: {said}")


def _ca_advice(tls: Tls) -> str:
    if tls.ca:
        return f"Is it signed by the authority in {tls.ca}?"
    return "Name the authority that signed it: `ca` of `tls`, or DOCKER_CERT_PATH"
