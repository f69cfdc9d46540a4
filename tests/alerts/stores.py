"""Stores for tests: alerts as the reader returns them, and stores that have them."""

import json
from contextlib import closing
from pathlib import Path

from lanner.alerts.alert_record import Record, RunLoad
from lanner.alerts.store_format import DAY, day_files
from lanner.alerts.stored import DAY_BITS, StoredAlert
from lanner.alerts.subject import find_subject
from lanner.alerts.writer import StoreWriter
from lanner.rules.files.items import Priority

from .reading import Raised, ask

START = 20_000 * DAY
RUN = "0badcafe"
LOAD = RunLoad(RUN, START, "docker", "{}", {})


def alert(number=1, *, arrived=START, rule="Shell", priority=4, source="docker", subject="web", message="", fields=None, tags=()):
    """An alert as the store returns it, but for its position."""
    fields = ({"container.name": subject} if subject else {}) | (fields or {})
    line = {
        "hostname": "host",
        "message": message,
        "output": f"12:00:00.000000000: Warning {message}",
        "output_fields": fields,
        "priority": str(Priority(priority)),
        "rule": rule,
        "source": source,
        "tags": list(tags),
        "time": "2024-10-04T12:00:00.000000000Z",
    }
    text = json.dumps(line, separators=(",", ":")).encode()
    return StoredAlert(0, f"{RUN}-{number}", arrived, arrived - 1000, rule, priority, source, find_subject(fields), text)


def make_store(directory, alerts, load=LOAD, event=b"{}\n"):
    """Write alerts in their order, and return them with their positions."""
    directory = Path(directory)
    records = [Record(each.line.decode(), event, len(event), int(each.key.partition("-")[2]), each.arrived, load) for each in alerts]
    with closing(StoreWriter(directory)) as writer:
        writer.write([Raised(each.timestamp, record) for each, record in zip(alerts, records, strict=True)])
    days = day_files(directory).items()
    rows = [(day << DAY_BITS | number, run) for day, path in days for number, run in ask(path, "SELECT id, run FROM alerts ORDER BY id")]
    return [each._replace(position=position, run=run) for each, (position, run) in zip(alerts, rows, strict=True)]
