"""A user who may not read or write what the configuration names: one line says what it is and why, with exit status 1."""

import os

import pytest

RIGHTS = "-dac_override,-dac_read_search"
AS_USER = ("setpriv", "--bounding-set", RIGHTS, "--inh-caps", RIGHTS) if os.geteuid() == 0 else ()  # root enters everything otherwise


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ("rules_files: [{closed}/rules.yaml]", "{closed}/rules.yaml: permission denied"),
        ("rules_files: [{closed}]", "cannot read the directory {closed}: Permission denied"),
        ("config_files: [{closed}]", "cannot read the directory {closed}: Permission denied"),
        ("file_output: {{enabled: true, filename: {closed}/alerts}}", "cannot write alerts to {closed}/alerts: Permission denied"),
        (
            "http_output: {{enabled: true, url: 'https://127.0.0.1:1/', ca_cert: {closed}/ca.pem}}",
            "falco.yaml:1: cannot read the TLS authority {closed}/ca.pem: permission denied ($.http_output)",
        ),
        (
            "http_output: {{enabled: true, url: 'https://127.0.0.1:1/', ca_path: {closed}}}",
            "falco.yaml:1: cannot read the directory {closed} of TLS authorities: permission denied ($.http_output)",
        ),
        (
            "http_output: {{enabled: true, url: 'https://127.0.0.1:1/', ca_path: {closed}.nope}}",
            "falco.yaml:1: cannot read the directory {closed}.nope of TLS authorities: no such file or directory ($.http_output)",
        ),
        (
            "http_output: {{enabled: true, url: 'http://127.0.0.1:1/'}}\nlanner: {{http: {{headers: {{A: {closed}/token}}}}}}",
            "falco.yaml:2: cannot read {closed}/token ($.lanner.http.headers.A): Permission denied",
        ),
    ],
)
def test_what_may_not_be_read_or_written_is_said(lanner, example, tmp_path, configuration, says):
    closed = tmp_path / "closed"
    closed.mkdir(0)
    (tmp_path / "falco.yaml").write_text(configuration.format(closed=closed))
    done = lanner("run", "docker", "-c", "falco.yaml", "--replay", example, prefix=AS_USER, cwd=tmp_path)
    assert done.code == 1
    assert f"lanner: error: {says.format(closed=closed)}" in done.err
