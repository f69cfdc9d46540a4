"""A key of any number of parts is set or refused with its reason."""

import pytest

from lanner.config.keys import assign
from lanner.sdk.errors import ConfigError


def test_a_key_of_very_many_parts():
    with pytest.raises(
        ConfigError, match=r"^-o (a\.)+a\[\.\.\. [\d,]+ characters \.\.\.\](a\.)+a=\.\.\.: the key has more than 64 parts$"
    ) as caught:
        assign({}, ".".join("a" * 50_000) + "=b")
    assert len(str(caught.value)) < 300
