"""Log records of a plugin in a .so whose host takes none: one line each on standard error, without secrets."""

import logging
import sys

from lanner.embedded.log_handler import HostHandler


def test_a_record_can_neither_end_its_line_nor_show_a_password(capsys):
    try:
        int("tcp://me:open-sesame@host\nforged")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("evil", logging.WARNING, __file__, 1, "%s", ("a\x1b[2J\nforged http://me:open-sesame@host",), error)
    HostHandler().emit(record)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.endswith(": [warning] evil: a\\x1b[2J\\nforged http://***@host")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert "open-sesame" not in "".join(rest)
