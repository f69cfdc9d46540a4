"""Certificates, keys and header files that are pipes, devices or without an end: refused at once."""

import os

import pytest

from lanner.net.tls import Tls, TlsError, make_context
from lanner.operating.webserver import _tls
from lanner.outputs.base import OutputError
from lanner.outputs.http_output import _read
from lanner.outputs.syslog_output import SyslogOutput
from lanner.sdk.errors import LannerError


@pytest.fixture(params=["/dev/zero", "pipe"])
def path(request, tmp_path):
    if request.param != "pipe":
        return request.param
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


@pytest.mark.parametrize("option", ["ca_cert", "client_cert"])
def test_certificates_of_outputs(path, option):
    with pytest.raises(OutputError, match=r"it is a (pipe|device).* \(\$\.lanner\.syslog\)"):
        SyslogOutput("tls://127.0.0.1:1", **{option: path})


@pytest.mark.parametrize("tls", [Tls("{}", "", "", True), Tls("", "{}", "", True)], ids=["authority", "certificate"])
def test_certificates_of_engines(path, tls):
    with pytest.raises(TlsError, match=r"it is a (pipe|device)"):
        make_context(tls._replace(ca=tls.ca and path, cert=tls.cert and path))


def test_the_certificate_of_the_web_server(path):
    with pytest.raises(LannerError, match=r"it is a (pipe|device)"):
        _tls(path)


def test_header_files(path):
    with pytest.raises(OutputError, match=r"it is a (pipe|device)"):
        _read("Authorization", path)
