"""HTTP servers, the sink that posts to them, certificates, and the end of all threads."""

import shutil
import threading

import pytest

from lanner.outputs.http_output import HttpOutput

from ..waiting import PATIENCE
from .http_server import Http
from .servers import certificate


@pytest.fixture
def serve():
    made = []

    def make(*arguments, **options):
        made.append(Http(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.server.close()


@pytest.fixture
def post():
    made = []

    def make(server, **options):
        made.append(HttpOutput(getattr(server, "url", server), **{"timeout": PATIENCE, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def tls(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    return certificate(tmp_path)


@pytest.fixture
def no_thread_is_left():
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("lanner-"):
            thread.join(PATIENCE)
            assert not thread.is_alive(), thread
