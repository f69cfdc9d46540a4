"""Errors of TLS with an engine, as sentences with the fix."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from lanner.net.tls import TlsError

if TYPE_CHECKING:
    from lanner.net.tls import Tls

# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH; X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_OTHER_NAME: Final = frozenset({62, 64})
_OUT_OF_TIME: Final = frozenset({9, 10})
# OpenSSL's errors for bytes that are not TLS
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
# Alerts of a server that requires a certificate and gets none or an invalid one; the alert depends on its version
_CERTIFICATE_ALERTS: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE", "DECRYPT_ERROR")


def explain(tls: Tls, error: ssl.SSLError) -> TlsError:
    """Return the error for the user: what failed, and what to do. It names files by their paths, never by their content."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        if error.verify_code in _OTHER_NAME:
            return TlsError(f"the engine's certificate is issued for another name: {said}. Name the engine as its certificate does")
        advice = "Is the clock right?" if error.verify_code in _OUT_OF_TIME else _ca_advice(tls)
        return TlsError(f"the engine's certificate is not trusted: {said}. {advice}")
    reason = error.reason or ""
    said = reason.lower().replace("_", " ") or str(error)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):  # Python 3.11.2 and 3.11.7 raise different ones
        return TlsError("it closed the connection during the TLS handshake. Is this a TLS port?")
    if reason in _NOT_TLS:
        return TlsError(f"it does not answer in TLS ({said}). Is this a TLS port?")
    if "ALERT" in reason and any(word in reason for word in _CERTIFICATE_ALERTS):
        if tls.cert:
            return TlsError(f"the engine rejects the client certificate {tls.cert} ({said}). Is it signed by the engine's --tlscacert?")
        return TlsError(
            f"the engine requires a client certificate ({said}). Name one with its key: `cert` and `key` of `tls`, or DOCKER_CERT_PATH"
        )
    return TlsError(f"TLS failed: {said}")


def _ca_advice(tls: Tls) -> str:
    if tls.ca:
        return f"Is it signed by the authority in {tls.ca}?"
    return "Name the authority that signed it: `ca` of `tls`, or DOCKER_CERT_PATH"
