"""A reload that a run refuses, because it would write alerts to an input."""

import signal

from ..waiting import PATIENCE


def reload_with_output(process, config, output):
    """Let a run that reads `config` write alerts to `output` by a reload, end the run, and return the line that refuses the reload."""
    refused = b""
    for line in iter(process.stderr.readline, b""):
        if b"watching " in line:
            config.write_text(f"file_output:\n  enabled: true\n  filename: {output}\n")
            process.send_signal(signal.SIGHUP)
        if b"reload failed" in line:
            refused = line
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return refused
