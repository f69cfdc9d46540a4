"""Checks and their runner: all run at the same time, each with a timeout, and a failed check does not stop the others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.sdk.author_code import place_to_blame
from lanner.sdk.authoring.checks import Finding
from lanner.sdk.errors import LannerError
from lanner.sdk.options.secrets import mask_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanner.sdk.authoring.checks import Check

TIMEOUT: Final = 15.0

ok, warning, problem = Finding.ok, Finding.warning, Finding.problem


class Result(NamedTuple):
    """The findings of one check, without secrets."""

    check: str
    findings: Sequence[Finding]


def run(checks: Sequence[Check], timeout: float = TIMEOUT) -> list[Result]:
    """Run the checks and return their findings in order, after at most `timeout` seconds in total.

    Secrets are masked here, because those of a plugin are known only while it exists.
    """
    found: list[list[Finding]] = [[] for _ in checks]
    threads = [
        threading.Thread(target=_look, args=(check, place), name=f"lanner-doctor-{check.name}", daemon=True)
        for check, place in zip(checks, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + timeout
    results = []
    for check, place, thread in zip(checks, found, threads, strict=True):
        thread.join(max(0.0, until - time.monotonic()))
        findings = list(place)
        if thread.is_alive():
            findings.append(problem(f"no result after {timeout:g} s", "Something that it queries does not answer: see the other checks"))
        masked = [Finding(each.level, mask_message(each.text), mask_message(each.fix)) for each in findings]
        results.append(Result(mask_message(check.name), masked))
    return results


def _look(check: Check, found: list[Finding]) -> None:
    fix = f"Correct the plugin's check `{check.name}`"
    try:
        findings: Iterable[object] = check.look()  # of a plugin, perhaps
        for each in findings:
            if not isinstance(each, Finding):
                found.append(problem(f"the check yielded {type(each).__name__}, not lanner.Finding", fix))
                return
            found.append(each)
    except LannerError as error:
        found.append(problem(str(error), ""))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the other checks continue
        place = place_to_blame(error)
        advice = fix if place else "This is a bug in Lanner: please report it"
        found.append(problem(f"the check itself failed: {type(error).__name__}: {error}{place}", advice))
