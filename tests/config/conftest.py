"""falco.yaml as text, read as `lanner run -c` reads it."""

import pytest

from lanner.config.read import read_configuration


@pytest.fixture
def read(tmp_path):
    """`read(text, *options)` is what a file of that text says."""

    def run(text="", *options, flags=()):
        path = tmp_path / "falco.yaml"
        path.write_text(text)
        return read_configuration(str(path), dict(flags), options)

    return run
