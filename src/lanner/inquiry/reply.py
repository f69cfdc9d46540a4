"""The reply to a question about an alert, by its kind: why the rule fired, an exception, or a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanner.inquiry.exception import make_exception
from lanner.inquiry.test_file import make_test
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.host.trial import Alert
    from lanner.inquiry.loaded import LoadedCase
    from lanner.inquiry.process_messages import Question


def make_reply(loaded: LoadedCase, question: Question) -> dict[str, Any]:
    """Return the reply to a question. Its `notes` say what may make it differ from the run."""
    found, alerts = loaded.explain(loaded.rules, question.rule, question.event, question.timestamp)
    if not found.holds:
        raise LannerError(
            "the rule does not match the stored event: the plugin, its options or the engine that it asks have changed since the alert"
        )
    notes = [*loaded.notes, *_differences(question, alerts)]
    if question.kind == "exception":
        shown = make_exception(loaded, question, found)
    elif question.kind == "test":
        shown = make_test(loaded, question, alerts)
    else:
        deciding = sorted(found.part.find_deciding(), key=lambda each: not each[1].holds)
        shown = found.as_dict() | {"deciding": [list(path) for path, _ in deciding], "text": found.reasons()}
        shown["place"] = loaded.restore_names(found.place)
    silenced = [text] if (text := shown.pop("silenced", "")) else []
    return shown | {"notes": [*silenced, *shown.get("notes", ()), *notes]}


def _differences(question: Question, alerts: Sequence[Alert]) -> Iterator[str]:
    """Yield a note if the event has other values now than in the stored alert, other than its number and times."""
    now = next((alert.fields for alert in alerts if alert.rule == question.rule), {})
    before = question.fields
    names = [name for name in now if name in before and not name.startswith("evt.") and now[name] != before[name]]
    if names:
        yield f"fields that have other values now than in the alert: {', '.join(names)}"
