"""Declaration of the sink `http_output`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.options.address import Address
from lanner.sdk.options.blocks import INPUT, PATH, UINT8, Block
from lanner.sdk.options.secrets import SafeRepr
from lanner.sinks.declaration import CommonSettings, Declaration, SinkBlock, keys_of
from lanner.sinks.servers import look_at_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink


class HttpBlock(SinkBlock, Block, frozen=True):
    """Send alerts to an HTTP server, one POST each. Falcosidekick needs `json_output: true`."""

    url: Annotated[str, Meta(description="URL that begins with http:// or https://", extra_json_schema={"format": "uri"})] = ""
    user_agent: Annotated[str, Meta(description="Header User-Agent; empty: lanner and its version")] = ""
    insecure: Annotated[bool, Meta(description="True: do not verify the server's certificate")] = False
    ca_cert: Annotated[str, PATH, INPUT, Meta(description="File with the authority of the server's certificate")] = ""
    ca_bundle: Annotated[str, PATH, INPUT, Meta(description="File with several such certificates")] = ""
    ca_path: Annotated[str, PATH, Meta(description="Directory of such files, named by their hashes")] = ""
    mtls: Annotated[bool, Meta(description="True: present `client_cert`")] = False
    client_cert: Annotated[str, PATH, INPUT, Meta(description="File with the client certificate")] = "/etc/ssl/certs/client.crt"
    client_key: Annotated[str, PATH, INPUT, Meta(description="File with its key")] = "/etc/ssl/certs/client.key"
    echo: Annotated[bool, Meta(description="True: print the server's answers to standard output")] = False
    compress_uploads: Annotated[bool, Meta(description="True: compress with gzip")] = False
    keep_alive: Annotated[bool, Meta(description="True: one connection for many alerts")] = False
    max_consecutive_timeouts: Annotated[int, UINT8, Meta(description="Number of consecutive timeouts that are not logged as errors")] = 5


class HttpAdditions(SafeRepr, msgspec.Struct, frozen=True):
    """Lanner's additions to `http_output`."""

    headers: Annotated[
        dict[str, str],
        PATH,
        INPUT,
        Meta(description="Headers by name, each with the file that contains its value (a token); read again on SIGUSR1"),
    ] = {}
    batch_size: Annotated[int, Meta(ge=1, le=10_000, description="Maximum number of alerts in a POST; with more than 1, one line each")] = 1


def _make(block: HttpBlock, additions: HttpAdditions, common: CommonSettings) -> Sink:
    from lanner.outputs.http_output import HttpOutput

    return HttpOutput(json=common.json, timeout=common.timeout, **keys_of(block), **keys_of(additions))


def _examine(block: HttpBlock, additions: HttpAdditions) -> Iterator[Finding]:
    from urllib.parse import urlsplit

    parts = urlsplit(block.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Finding.problem(f"invalid URL {str(Address(block.url))!r}", "$.http_output.url: such as http://127.0.0.1:2801/")
        return
    yield look_at_server(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), "the HTTP server", "$.http_output.url")
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield Finding.warning(f"alerts go to {parts.hostname} in plain text", "$.http_output.url: use https://")
    if parts.scheme == "https" and block.insecure:
        yield Finding.warning(
            "the server's certificate is not verified", "$.http_output.insecure: false, with ca_cert for a certificate of yours"
        )
    yield from _look_at_files(block, additions)


def _look_at_files(block: HttpBlock, additions: HttpAdditions) -> Iterator[Finding]:
    secrets = {f"$.lanner.http.headers.{name}": path for name, path in additions.headers.items()}
    files = {f"$.http_output.{key}": path for key, path in (("ca_cert", block.ca_cert), ("ca_bundle", block.ca_bundle)) if path}
    if block.mtls:
        files["$.http_output.client_cert"] = block.client_cert
        secrets["$.http_output.client_key"] = block.client_key
    for key, path in {**secrets, **files}.items():
        if not os.access(path, os.R_OK):
            yield Finding.problem(f"{path} cannot be read", f"{key}: name a file that this user may read")
        elif key in secrets and stat.S_IMODE(Path(path).stat().st_mode) & stat.S_IROTH:
            yield Finding.warning(f"everybody can read the secret in {path}", f"chmod o-r {path}")


HTTP: Final = Declaration(
    "http_output",
    HttpBlock,
    _make,
    _examine,
    additions=HttpAdditions,
    required={"url": "the server's address, such as http://127.0.0.1:2801/"},
)
