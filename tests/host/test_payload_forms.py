"""Messages of hosts about payloads that no field can read."""

import pytest

import lanner
from lanner import cef, field, logfmt, pattern, payload
from lanner.host.payload_forms import describe_unreadable, line_forms
from lanner.sdk.authoring.plugin import plugin_info

LINE = pattern("(?P<a>.)")


@pytest.mark.parametrize(
    ("values", "forms", "text"),
    [
        ([payload["a"].integer()], set(), "not valid JSON"),
        ([payload.pointer("/a")], set(), "not valid JSON"),
        ([LINE["a"].upper()], {"group"}, "not matched by the pattern"),
        ([logfmt["a"]], {"logfmt"}, "not logfmt"),
        ([payload["a"] | LINE["a"]], {"group"}, "neither valid JSON nor matched by the pattern"),
        ([payload["a"], LINE["a"], logfmt["a"], cef["a"]], {"group", "logfmt", "cef"}, "neither valid JSON, matched by the pattern, logfmt nor CEF"),
    ],
)  # fmt: skip
def test_the_forms_of_a_plugins_payloads(values, forms, text):
    class Some(lanner.Plugin):
        """A plugin with some fields."""

        name, version, contact, extract_sources = "some", "0.1.0", "the tests", lanner.ANY
        fields = tuple(field(f"some.f{number}", value, "A field") for number, value in enumerate(values))

    info = plugin_info(Some)
    assert (line_forms(info), describe_unreadable(info)) == (forms, text)
