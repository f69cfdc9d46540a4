"""Selection of the engine: the configuration, the environment, the contexts of Docker's own client; and messages for invalid addresses."""

import json
from hashlib import sha256
from types import SimpleNamespace

import pytest

import lanner
from lanner import Address
from lanner.docker.endpoint import Endpoint, Ssh, find_endpoint, parse_endpoint
from lanner.net.tls import Tls

ADDRESSES = "write unix:///path/to/docker.sock, tcp://host:2375, with TLS tcp://host:2376, or ssh://user@host"
DEFAULT = Endpoint(Address("unix:///var/run/docker.sock"), "the default", path="/var/run/docker.sock")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of Docker's own client, in a separate home."""
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


def failure(configured="", environ=None, tls=None):
    with pytest.raises(lanner.UsageError) as caught:
        find_endpoint(configured, tls, environ or {})
    return str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"DOCKER_HOST": "", "DOCKER_CONTEXT": "", "DOCKER_CONFIG": ""}])
def test_without_a_word_it_is_the_default_socket(folder, environ):
    assert find_endpoint("", environ=environ) == DEFAULT


def test_who_is_asked_in_which_order(folder):
    write_config(folder, {"currentContext": "current"})
    write_context(folder, "current", context("unix:///current"))
    write_context(folder, "chosen", context("unix:///chosen"))
    environ = {"DOCKER_HOST": "unix:///host", "DOCKER_CONTEXT": "chosen"}
    assert find_endpoint("unix:///configured", environ=environ) == Endpoint(
        Address("unix:///configured"), "`$.host` of the configuration", "/configured"
    )
    assert find_endpoint("", environ=environ) == Endpoint(Address("unix:///host"), "DOCKER_HOST", "/host")
    del environ["DOCKER_HOST"]
    assert find_endpoint("", environ=environ) == Endpoint(Address("unix:///chosen"), 'the docker context "chosen"', "/chosen")
    assert find_endpoint("", environ={}) == Endpoint(Address("unix:///current"), 'the docker context "current"', "/current")


def test_docker_config_names_another_folder(folder, tmp_path):
    other = tmp_path / "other"
    write_config(folder, {"currentContext": "current"})
    write_config(other, {"currentContext": "remote"})
    write_context(other, "remote", context("tcp://192.0.2.7:2375"))
    assert find_endpoint("", environ={"DOCKER_CONFIG": str(other)}) == Endpoint(
        Address("tcp://192.0.2.7:2375"), 'the docker context "remote"', host="192.0.2.7", port=2375
    )


@pytest.mark.parametrize("environ", [{"DOCKER_CONTEXT": "default"}, {}])
def test_the_context_default_is_the_default_socket(folder, environ):
    write_config(folder, {"currentContext": "other" if environ else "default"})
    assert find_endpoint("", environ=environ) == DEFAULT


@pytest.mark.parametrize("text", ["", "{broken", "[]", "null", "{}", '{"auths": {}}', '{"currentContext": null}', '{"currentContext": 5}'])
def test_a_config_of_dockers_client_that_names_no_context_is_passed_over(folder, text):
    write_config(folder, text)
    assert find_endpoint("", environ={}) == DEFAULT


@pytest.mark.parametrize(
    "meta",
    [None, "", "{broken", "[]", "null", "{}", '{"Endpoints": null}', '{"Endpoints": {"kubernetes": {}}}', '{"Endpoints": {"docker": {}}}'],
)
def test_a_context_without_an_address_is_reported_with_its_file_and_who_named_it(folder, meta):
    place = folder / "contexts" / "meta" / sha256(b"lab").hexdigest() / "meta.json"
    if meta is not None:
        write_context(folder, "lab", meta)
    assert (
        failure(environ={"DOCKER_CONTEXT": "lab"}) == f'the docker context "lab" (from DOCKER_CONTEXT) has no readable address in {place}'
    )
    write_config(folder, {"currentContext": "lab"})
    assert f'"lab" (from currentContext in {folder}/config.json) has no readable address' in failure()


def test_a_context_with_a_bad_address_is_reported_as_such(folder):
    write_context(folder, "lab", context("npipe://lab"))
    assert failure(environ={"DOCKER_CONTEXT": "lab"}) == (
        f"invalid engine address 'npipe://lab' (from the docker context \"lab\"): npipe:// is not supported; {ADDRESSES}"
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
    endpoint = find_endpoint(url, environ={})
    assert (endpoint.path, endpoint.host, endpoint.port) == (path, host, port)
    assert str(endpoint) == url.strip()


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
def test_what_is_no_address_is_reported_with_who_named_it_and_what_to_write(url):
    says = f"invalid engine address {url.strip()!r} (from"
    assert failure(url) == f"{says} `$.host` of the configuration): {ADDRESSES}"
    assert failure("", {"DOCKER_HOST": url}) == f"{says} DOCKER_HOST): {ADDRESSES}"


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("npipe:////./pipe/docker_engine", f"npipe:// is not supported; {ADDRESSES}"),
        ("fd://", f"fd:// is not supported; {ADDRESSES}"),
    ],
)
def test_what_dockers_client_knows_and_we_do_not_is_reported_as_such(url, advice):
    assert failure(url) == f"invalid engine address {url!r} (from `$.host` of the configuration): {advice}"


# over SSH


@pytest.mark.parametrize(
    ("url", "ssh"),
    [
        ("ssh://engine", Ssh("engine")),
        ("ssh://me@engine.example.com", Ssh("engine.example.com", "me")),
        ("ssh://me@engine:2222/", Ssh("engine", "me", 2222)),
        ("ssh://me@engine/run/user/1000/docker.sock", Ssh("engine", "me", 0, "/run/user/1000/docker.sock")),
        ("ssh://me@engine:22/with%20space", Ssh("engine", "me", 22, "/with space")),
        ("ssh://me@[2001:db8::7]:22", Ssh("2001:db8::7", "me", 22)),
        ("ssh://an%40other@engine", Ssh("engine", "an@other")),
        ("ssh://an@other@engine", Ssh("engine", "an@other")),
        ("ssh://DOMAIN\\me@engine", Ssh("engine", "DOMAIN\\me")),
        ("ssh://alias_in-ssh.config", Ssh("alias_in-ssh.config")),
    ],
)
def test_an_address_over_ssh_is_what_dockers_client_takes(folder, url, ssh):
    assert find_endpoint(url, environ={}) == Endpoint(Address(url), "`$.host` of the configuration", ssh=ssh)
    assert find_endpoint("", environ={"DOCKER_HOST": url, "DOCKER_TLS_VERIFY": "1"}) == Endpoint(Address(url), "DOCKER_HOST", ssh=ssh)
    write_context(folder, "lab", context(url))
    assert find_endpoint("", environ={"DOCKER_CONTEXT": "lab"}) == Endpoint(Address(url), 'the docker context "lab"', ssh=ssh)
    assert str(find_endpoint(url, environ={})) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ssh://", "write unix:///path"),
        ("ssh://me@", "write unix:///path"),
        ("ssh:///path", "write ssh://user@host"),
        ("ssh://engine:0", "write ssh://user@host"),
        ("ssh://engine:port", "write ssh://user@host"),
        ("ssh://engine/a?b=c", "write ssh://user@host"),
        ("ssh://engine/a#b", "write ssh://user@host"),
        ("ssh://-oProxyCommand=touch", "the host begins with a dash"),
        ("ssh://me@-oProxyCommand=touch", "the host begins with a dash"),
        ("ssh://%2doProxyCommand=touch@engine", "the user begins with a dash"),
        ("ssh://-oProxyCommand=touch@engine", "the user begins with a dash"),
        ("ssh://a;b@engine", "the user has characters that a shell"),
        ("ssh://a%0ab@engine", "the user has characters that a shell"),
        ("ssh://a%20-b@engine", "the user has characters that a shell"),
        ("ssh://$(touch)", "the host has characters that a shell"),
        ("ssh://engine`touch`", "the host has characters that a shell"),
        ("ssh://engine/a%0ab", "the path has control characters"),
    ],
)
def test_what_ssh_must_not_be_given_is_refused(url, says):
    told = failure(url)
    assert told.startswith("invalid engine address ")
    assert "(from `$.host` of the configuration): " in told
    assert says in told


def test_a_password_is_not_for_ssh_and_not_shown():
    told = failure("ssh://me:hunter2@engine")
    assert told == (
        "ssh://me:***@engine (from `$.host` of the configuration) has a password, which ssh does not take: "
        "write ssh://user@host, and give ssh a key"
    )


def test_ssh_needs_no_tls():
    assert failure("ssh://engine", tls=FILES) == (
        "ssh://engine (from `$.host` of the configuration) has `tls`, but ssh encrypts the connection: leave it out"
    )


# with TLS

FILES = Tls("/tls/ca.pem", "/tls/cert.pem", "/tls/key.pem")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("tcp://engine.example.com:4243", "engine.example.com", 4243),
        ("tcp://engine.example.com", "engine.example.com", 2376),
        ("https://engine.example.com/", "engine.example.com", 2376),
        ("tcp://[::1]", "::1", 2376),
    ],
)
def test_the_configurations_tls_is_that_of_its_address(url, host, port):
    assert find_endpoint(url, FILES, {}) == Endpoint(Address(url), "`$.host` of the configuration", host=host, port=port, tls=FILES)


def test_a_configuration_class_of_any_make_says_what_tls_is(monkeypatch):
    monkeypatch.setenv("HOME", "/home/lanner")
    options = SimpleNamespace(ca="", cert="~/tls/cert.pem", key="~/tls/key.pem", verify=False)
    tls = Tls("", "/home/lanner/tls/cert.pem", "/home/lanner/tls/key.pem", verify=False)
    assert find_endpoint("tcp://engine", options, {}).tls == tls
    assert parse_endpoint("tcp://engine", "hosts", tls=options).tls == tls


def test_https_alone_is_tls_with_the_authorities_of_the_system():
    assert find_endpoint("https://engine", environ={}).tls == Tls()


@pytest.mark.parametrize(
    ("url", "tls", "says"),
    [
        ("unix:///x", FILES, "unix:///x (from `$.host` of the configuration) has `tls`, which a unix socket does not speak: leave it out"),
        (
            "http://engine",
            FILES,
            "http://engine (from `$.host` of the configuration) is without TLS, but the configuration requests TLS: write https:// or tcp://",
        ),
        (
            "tcp://engine",
            Tls(key="/tls/key.pem"),
            "tcp://engine (from `$.host` of the configuration): `tls` has a `key` but no `cert`, the certificate that it is of",
        ),
        ("", FILES, "the configuration has `tls` but no `host`: write the engine's address, tcp://host:2376"),
    ],
)
def test_tls_that_cannot_be_spoken_is_reported(url, tls, says):
    assert failure(url, tls=tls) == says


@pytest.fixture
def certificates(folder):
    """A folder with the three files that Docker's client looks for."""
    return write_files(folder.parent / "certificates", "ca", "cert", "key")


def write_files(place, *names):
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place / f"{name}.pem").write_text("")
    return place


def files(place):
    return Tls(f"{place}/ca.pem", f"{place}/cert.pem", f"{place}/key.pem")


def asked(**environ):
    return find_endpoint("", environ={"DOCKER_HOST": "tcp://engine", **environ})


@pytest.mark.parametrize("text", ["1", "0", "false"])
def test_dockers_variables_ask_for_tls_with_the_files_of_a_folder(certificates, text):
    """Docker's client takes any text for yes."""
    endpoint = asked(DOCKER_TLS_VERIFY=text, DOCKER_CERT_PATH=str(certificates))
    assert endpoint == Endpoint(Address("tcp://engine"), "DOCKER_HOST", host="engine", port=2376, tls=files(certificates))


def test_without_a_path_the_files_are_in_the_folder_of_dockers_client(folder, tmp_path):
    write_files(folder, "ca", "cert", "key")
    other = write_files(tmp_path / "other", "ca", "cert", "key")
    assert asked(DOCKER_TLS_VERIFY="1").tls == files(folder)
    assert asked(DOCKER_TLS_VERIFY="1", DOCKER_CONFIG=str(other)).tls == files(other)


def test_an_engine_may_do_without_a_client_certificate_but_not_with_half_of_one(folder, tmp_path):
    ca_only = write_files(tmp_path / "ca only", "ca")
    half = write_files(tmp_path / "half", "ca", "key")
    assert asked(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(ca_only)).tls == Tls(f"{ca_only}/ca.pem")
    assert asked(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(half)).tls == files(half)


def test_the_variable_that_asks_for_tls_without_trust_gets_it(certificates):
    trusting = files(certificates)._replace(ca="", verify=False)
    assert asked(DOCKER_TLS="1", DOCKER_CERT_PATH=str(certificates)).tls == trusting
    assert asked(DOCKER_TLS="1", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates)).tls == files(certificates)


@pytest.mark.parametrize(
    ("configured", "environ"),
    [
        ("", {"DOCKER_HOST": "unix:///x", "DOCKER_TLS_VERIFY": "1"}),
        ("", {"DOCKER_HOST": "tcp://engine", "DOCKER_TLS_VERIFY": ""}),
        ("", {"DOCKER_HOST": "tcp://engine", "DOCKER_CERT_PATH": "/certificates"}),
        ("tcp://engine", {"DOCKER_TLS_VERIFY": "1"}),
    ],
)
def test_without_a_request_for_tls_there_is_none(configured, environ):
    """For an engine that the configuration names, only the configuration counts: the environment may be about another engine."""
    assert find_endpoint(configured, environ=environ).tls is None


@pytest.mark.parametrize(
    ("names", "skip", "verify"),
    [(("ca", "cert", "key"), False, True), (("ca", "cert", "key"), True, False), (("ca",), False, True), ((), True, False)],
)
def test_a_context_has_its_own_files(folder, names, skip, verify):
    meta = context("tcp://engine")
    meta["Endpoints"]["docker"]["SkipTLSVerify"] = skip
    write_context(folder, "lab", meta)
    place = write_files(folder / "contexts" / "tls" / sha256(b"lab").hexdigest() / "docker", *names)
    endpoint = find_endpoint("", environ={"DOCKER_CONTEXT": "lab", "DOCKER_TLS_VERIFY": "1"})
    tls = Tls(*(f"{place}/{name}.pem" if name in names else "" for name in ("ca", "cert", "key")), verify=verify)
    assert endpoint == Endpoint(Address("tcp://engine"), 'the docker context "lab"', host="engine", port=2376, tls=tls)


def test_a_context_without_files_is_without_tls(folder):
    write_context(folder, "lab", context("tcp://engine"))
    assert find_endpoint("", environ={"DOCKER_CONTEXT": "lab", "DOCKER_TLS_VERIFY": "1"}).tls is None
