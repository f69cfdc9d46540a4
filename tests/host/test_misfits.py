"""A value of another type than its field is counted by field and type, natively and in Python, and over a change of rules."""

import json

import pytest

import lanner
from lanner import EACH, field, payload
from lanner.host.jobs import Jobs
from lanner.host.pump import Pump
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules_text
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.payload.misfits import describe_misfits

pytestmark = pytest.mark.native


class Pushes(lanner.Plugin):
    """Pushes to a repository."""

    id, name, version, event_source, contact = 4249, "pushes", "0.1.0", "pushes", "the tests"
    timestamp = payload["at"].time("s")
    fields = (
        field("github.forced", payload["forced"], "Whether history was replaced"),
        field("github.size", payload["size"].integer(), "Number of commits"),
        field("github.authors", payload["commits", EACH, "author"], "Authors"),
        field("github.ref", payload["ref"], "Branch"),
    )

    def open(self, _params):
        return iter(())


RULE = """
- rule: forced
  desc: d
  condition: github.forced = true or github.size > 9 or github.authors intersects (mallory) or github.ref = main
  output: forced by %github.authors
  priority: INFO
  source: pushes
"""
EVENTS = [
    {"forced": True, "size": -1, "commits": [{"author": "x"}, {"author": 1}, {}], "ref": None, "at": "soon"},
    {"forced": False, "size": "many", "commits": {}, "ref": "dev", "at": 1},
    {"forced": [], "size": 3, "commits": [], "at": 2},
]
EXPECTED = {
    "github.forced": {"boolean": 2, "array": 1},
    "github.size": {"number": 1, "text": 1},
    "github.authors": {"number": 1, "object": 1},
    "timestamp": {"text": 1},
}
BECAUSE = "without a value, because the field is a"
ADVICE = "declare it with .text() or .boolean() for booleans, with .raw() or EACH for arrays"
PAYLOADS = [json.dumps(event).encode() for event in EVENTS]


def pump(native):
    catalog = Catalog([declaration.info for declaration in plugin_info(Pushes).fields], "pushes")
    compiled = compile_rules(load_rules_text(RULE, catalog=catalog), catalog)
    return Pump(init_plugin(Pushes), compiled, AlertWriter("json", hostname="h"), native=native)


@pytest.mark.parametrize("native", [False, True])
def test_they_are_counted_by_field_and_type(native):
    one = pump(native)
    one.feed(Batch(PAYLOADS))
    assert one.counts().misfits == EXPECTED
    assert [*one.describe_misfits()] == [
        f"github.authors: 1 number and 1 object {BECAUSE} list of string: declare it with .text() or .integer() for numbers",
        f"github.forced: 2 booleans and 1 array {BECAUSE} string: {ADVICE}",
        f"github.size: 1 text and 1 number {BECAUSE} uint64: declare it with .text() for texts and numbers",
        "timestamp: 1 text is not a time in s since 1970. Such an event has the time of its arrival",
    ]


@pytest.mark.parametrize("native", [False, True])
def test_they_are_kept_when_the_rules_change(native):
    one, other = pump(native), pump(native)
    one.feed(Batch(PAYLOADS))
    other.succeed(one)
    other.feed(Batch(PAYLOADS[:1]))
    assert other.counts().misfits["github.forced"] == {"boolean": 3, "array": 1}


def test_they_are_counted_by_all_threads():
    one = pump(native=True)
    jobs = Jobs(one, 2)
    for _ in range(20):
        jobs.feed(Batch(PAYLOADS), None)
    jobs.drain()
    jobs.close()
    assert one.counts().misfits == {name: {kind: 20 * count for kind, count in by_type.items()} for name, by_type in EXPECTED.items()}


def test_the_line_about_times_has_their_forms():
    one = payload["at"].time("rfc3339")
    assert [*describe_misfits({"timestamp": {"text": 2}}, (), one)] == [
        "timestamp: 2 texts are not a time of the form rfc3339. Such an event has the time of its arrival"
    ]
    several = one | payload["at"].time("ms") | payload["when"].time("rfc3339")
    (line,) = describe_misfits({"timestamp": {"number": 1}}, (), several)
    assert "1 number is not a time of the form rfc3339 or a time in ms since 1970." in line
