"""Which engine is talked to: the configuration, the environment, the contexts of Docker's own client; and what is said of bad addresses."""

import json
from hashlib import sha256

import pytest

import lanner
from lanner.docker.endpoint import Endpoint, find_endpoint

DEFAULT = Endpoint("unix:///var/run/docker.sock", "the default", path="/var/run/docker.sock")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of Docker's own client, in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".docker").mkdir()
    return tmp_path / ".docker"


def write_config(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(text if isinstance(text, str) else json.dumps(text))


def write_context(folder, name, meta):
    place = folder / "contexts" / "meta" / sha256(name.encode()).hexdigest() / "meta.json"
    place.parent.mkdir(parents=True)
    place.write_text(meta if isinstance(meta, str) else json.dumps(meta))
    return place


def context(host):
    return {"Name": "any", "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}


def failure(configured="", environ=None):
    with pytest.raises(lanner.SourceError) as caught:
        find_endpoint(configured, environ or {})
    return str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"DOCKER_HOST": "", "DOCKER_CONTEXT": "", "DOCKER_CONFIG": ""}])
def test_without_a_word_it_is_the_default_socket(folder, environ):
    assert find_endpoint("", environ) == DEFAULT


def test_who_is_asked_in_which_order(folder):
    write_config(folder, {"currentContext": "current"})
    write_context(folder, "current", context("unix:///current"))
    write_context(folder, "chosen", context("unix:///chosen"))
    environ = {"DOCKER_HOST": "unix:///host", "DOCKER_CONTEXT": "chosen"}
    assert find_endpoint("unix:///configured", environ) == Endpoint("unix:///configured", "the configuration's `host`", "/configured")
    assert find_endpoint("", environ) == Endpoint("unix:///host", "DOCKER_HOST", "/host")
    del environ["DOCKER_HOST"]
    assert find_endpoint("", environ) == Endpoint("unix:///chosen", 'the docker context "chosen"', "/chosen")
    assert find_endpoint("", {}) == Endpoint("unix:///current", 'the docker context "current"', "/current")


def test_docker_config_names_another_folder(folder, tmp_path):
    other = tmp_path / "other"
    write_config(folder, {"currentContext": "current"})
    write_config(other, {"currentContext": "remote"})
    write_context(other, "remote", context("tcp://192.0.2.7:2375"))
    assert find_endpoint("", {"DOCKER_CONFIG": str(other)}) == Endpoint(
        "tcp://192.0.2.7:2375", 'the docker context "remote"', host="192.0.2.7", port=2375
    )


@pytest.mark.parametrize("environ", [{"DOCKER_CONTEXT": "default"}, {}])
def test_the_context_default_is_the_default_socket(folder, environ):
    write_config(folder, {"currentContext": "other" if environ else "default"})
    assert find_endpoint("", environ) == DEFAULT


@pytest.mark.parametrize("text", ["", "{broken", "[]", "null", "{}", '{"auths": {}}', '{"currentContext": null}', '{"currentContext": 5}'])
def test_a_config_of_dockers_client_that_names_no_context_is_passed_over(folder, text):
    write_config(folder, text)
    assert find_endpoint("", {}) == DEFAULT


@pytest.mark.parametrize(
    "meta",
    [None, "", "{broken", "[]", "null", "{}", '{"Endpoints": null}', '{"Endpoints": {"kubernetes": {}}}', '{"Endpoints": {"docker": {}}}'],
)
def test_a_context_without_an_address_is_told_with_its_file_and_who_named_it(folder, meta):
    place = folder / "contexts" / "meta" / sha256(b"lab").hexdigest() / "meta.json"
    if meta is not None:
        write_context(folder, "lab", meta)
    assert (
        failure(environ={"DOCKER_CONTEXT": "lab"}) == f'the docker context "lab" (from DOCKER_CONTEXT) has no readable address in {place}'
    )
    write_config(folder, {"currentContext": "lab"})
    assert f'"lab" (from currentContext in {folder}/config.json) has no readable address' in failure()


def test_a_context_with_a_bad_address_is_told_as_such(folder):
    write_context(folder, "lab", context("ssh://lab.example.com"))
    assert failure(environ={"DOCKER_CONTEXT": "lab"}) == (
        "'ssh://lab.example.com' (from the docker context \"lab\") is no engine's address: "
        "ssh:// is not supported yet; write unix:///path/to/docker.sock or tcp://host:2375"
    )


@pytest.mark.parametrize(
    ("url", "path", "host", "port"),
    [
        ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock", "", 0),
        ("unix:///with space/ü.sock", "/with space/ü.sock", "", 0),
        (" unix:///x ", "/x", "", 0),
        ("tcp://127.0.0.1:2376", "", "127.0.0.1", 2376),
        ("tcp://engine.example.com", "", "engine.example.com", 2375),
        ("http://engine:80/", "", "engine", 80),
        ("tcp://engine:65535", "", "engine", 65535),
        ("tcp://[::1]:2376", "", "::1", 2376),
        ("tcp://[2001:db8::7]", "", "2001:db8::7", 2375),
        ("tcp://2001:db8::7", "", "2001:db8::7", 2375),
        ("tcp://::1", "", "::1", 2375),
    ],
)
def test_an_address_is_a_socket_or_a_host_and_port(url, path, host, port):
    endpoint = find_endpoint(url, {})
    assert (endpoint.path, endpoint.host, endpoint.port) == (path, host, port)
    assert str(endpoint) == url


@pytest.mark.parametrize(
    "url",
    [
        "/var/run/docker.sock",
        "unix:/var/run/docker.sock",
        "unix://",
        "unix://docker.sock",
        "docker.example.com:2375",
        "UNIX:///x",
        "ftp://engine",
        "ssh:engine",
        "tcp://",
        "tcp:///",
        "tcp://:2375",
        "tcp://engine:",
        "tcp://engine:0",
        "tcp://engine:65536",
        "tcp://engine:²",
        "tcp://engine:http",
        "tcp://engine:-1",
        "tcp://engine:2375/path",
        "tcp://engine:" + "1" * 5000,
        "tcp://[]:2375",
        " ",
    ],
)
def test_what_is_no_address_is_told_with_who_named_it_and_what_to_write(url):
    says = "is no engine's address: write unix:///path/to/docker.sock or tcp://host:2375"
    assert failure(url) == f"{url!r} (from the configuration's `host`) {says}"
    assert failure("", {"DOCKER_HOST": url}) == f"{url!r} (from DOCKER_HOST) {says}"


@pytest.mark.parametrize(
    ("url", "scheme"),
    [("ssh://me@engine", "ssh"), ("https://engine:2376", "https"), ("npipe:////./pipe/docker_engine", "npipe"), ("fd://", "fd")],
)
def test_what_dockers_client_knows_and_we_do_not_is_told_as_such(url, scheme):
    says = f"{scheme}:// is not supported yet; write unix:///path/to/docker.sock or tcp://host:2375"
    assert failure(url) == f"{url!r} (from the configuration's `host`) is no engine's address: {says}"


def test_tls_is_refused_with_a_way_round_it():
    """Else what is meant to be secret would go in the clear."""
    assert failure("", {"DOCKER_HOST": "tcp://engine:2376", "DOCKER_TLS_VERIFY": "1"}) == (
        "tcp://engine:2376 (from DOCKER_HOST) with DOCKER_TLS_VERIFY: TLS is not supported yet. Forward the engine's socket instead: "
        "ssh -L /tmp/docker.sock:/var/run/docker.sock HOST, then --host unix:///tmp/docker.sock"
    )


@pytest.mark.parametrize(
    ("configured", "environ"),
    [
        ("", {"DOCKER_HOST": "unix:///x", "DOCKER_TLS_VERIFY": "1"}),
        ("", {"DOCKER_HOST": "tcp://engine", "DOCKER_TLS_VERIFY": ""}),
        ("tcp://engine", {"DOCKER_TLS_VERIFY": "1"}),
    ],
)
def test_where_there_is_no_tls_to_be_had_the_variable_says_nothing(configured, environ):
    assert find_endpoint(configured, environ).url == (configured or environ["DOCKER_HOST"])
