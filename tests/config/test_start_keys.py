"""Keys that a run reads when it starts: a reload names those that have changed."""

import pytest

from lanner.config.falco import Falco
from lanner.config.start_keys import find_late_changes


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("log_level: debug", ["log_level"]),
        ("webserver: {enabled: true}", ["webserver"]),
        ("lanner: {log_format: json, state_directory: /x, webserver_hosts: [a]}", ["state_directory", "webserver_hosts", "log_format"]),
        ("json_output: true\nlanner: {queue_size_mb: 1}", []),
    ],
)
def test_changed_keys_are_named_with_their_paths(read, text, changed):
    expected = [key if text.startswith(key) else f"lanner.{key}" for key in changed]
    assert list(find_late_changes(Falco(), read(text).falco)) == expected
