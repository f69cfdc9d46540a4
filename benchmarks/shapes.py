"""Rules of the shapes that public rules files have: the cost of an event, and how many rules are evaluated for it.

The cost should follow the rules that can match an event, not their number. A part of `python -m benchmarks executor`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.matching import bare, blocks, compiled, matching, repeated
from benchmarks.measure import MANY, progress, size, table
from benchmarks.replay import RECORDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.native import Lines

STARTS = size(50_000, 1_000)
# Rules of one shape, which share a type and an action and differ in the rest
SHARED = "docker.type = container and docker.action in (start, restart) and "
SINGLE = {
    "equality": "docker.attributes.name = x{0}-7",
    "list": "docker.attributes.name in (x{0}-7, y{0}, z{0})",
    "prefix": "docker.attributes.name startswith x{0}-",
    "contains": "docker.attributes.name contains x{0}-",
    "suffix": "docker.attributes[program] endswith /x{0}",
    "glob": "docker.attributes.name glob '*x{0}-?*'",
    "regex": "docker.attributes.name regex '.*x{0}-[0-9]+'",
    "regex with alternatives": "docker.attributes.name regex '(x{0}|y{0})-[0-9]+'",
    "path prefix": "docker.attributes[path] pmatch (/srv/x{0}, /opt/*/y{0})",
    "number": "docker.exitcode = {0}",
    "or of two fields": "(docker.attributes.name startswith x{0}- or docker.from contains x{0}/)",
    "or of a number and a string": "(docker.attributes.name = x{0}-7 or docker.exitcode = 1{0})",
    "list of strings": "docker.container.caps.added intersects (x{0}, y{0})",
    "prefix and negation": "docker.attributes.name startswith x{0}- and not docker.from startswith y{0}",
    "two negations": "not (not docker.attributes.name in (x{0}-7, y{0}) or docker.from startswith y{0})",
}

# The shapes of the rules that Falco's project publishes, and how many rules of a file have each. They were counted after expansion of
# lists and macros in falcosecurity/rules (c72713ee) and falcosecurity/plugins (0b3cbd8d). A word is a part that the condition needs: `M`
# is shared by a quarter of the file's rules or more, `C` by several rules, and `O` is the rule's own. `any` is an `or` of such parts.
# `all` are parts of several fields, `loose` ones include a number's order or a missing value, and `not` are negations of any kind. Rules
# that need only what most events have (`M` and `not`) match nearly all events, and are left out.
PUBLIC = {
    "system calls (93)": """
        6 M:in O:in not; 4 M:in O:= not; 4 O:any-all not; 3 C:= C:in C:order O:any-mixed not; 2 M:in O:any-all not; 2 M:in O:any-all
        2 M:in O:any-mixed not; 2 O:= not; 2 C:= M:in not; 2 O:= O:any-loose not; 2 C:= C:any-= C:any-loose C:any-mixed not
        2 C:in M:in not; 2 C:= M:in O:= not; 2 C:= C:in C:order O:startswith not; 2 C:any-in M:in O:in not
        1 O:any-all O:any-mixed O:contains O:glob not; 1 C:= C:any-in C:in C:order O:in not; 1 C:= C:any-in C:in C:order not
        1 C:in M:in O:any-mixed O:exists not; 1 M:in O:any-mixed O:in not; 1 C:in M:in O:any-loose not; 1 C:any-= O:= not
        1 C:= C:in C:order O:any-in O:contains not; 1 O:any-in O:in; 1 O:in; 1 O:= O:contains not; 1 O:in not; 1 O:contains O:in not
        1 C:= C:in C:order O:any-mixed O:contains O:endswith not; 1 C:= O:any-contains not; 1 C:= O:contains not
        1 C:any-= O:= O:any-loose O:any-mixed O:endswith O:in not; 1 C:= C:in C:order O:any-in not; 1 C:any-mixed O:any-all not
        1 C:= M:in O:any-contains not; 1 C:any-= C:any-loose C:in O:= O:any-in not; 1 M:in O:contains O:in not
        1 C:any-= C:any-loose C:in O:= not; 1 O:= O:any-mixed O:contains not; 1 O:any-contains O:in not
        1 C:any-= C:any-loose C:in O:in not; 1 C:= C:in C:order O:glob not; 1 C:= C:in C:order O:= O:any-loose not
        1 C:= C:any-mixed C:in C:order O:endswith not; 1 M:in O:contains; 1 C:= C:in C:order O:= O:any-contains; 1 O:= O:any-= not
        1 C:any-= C:any-loose C:any-mixed not; 1 C:= C:in C:order O:= O:any-in not; 1 C:= C:in C:order O:in not
        1 O:any-in O:any-startswith not; 1 O:any-startswith O:in not; 1 C:= M:in not; 1 C:any-= C:any-loose C:any-mixed C:in not
        1 C:any-= C:any-loose C:in O:any-mixed not; 1 C:any-= C:any-loose O:in O:order not; 1 O:any-all O:in not; 1 M:in O:any-contains
        1 C:order O:any-contains O:in not; 1 C:order O:= O:in not; 1 M:in O:any-= O:any-contains O:any-mixed not
        1 O:= O:contains O:endswith O:in; 1 M:in O:any-contains O:contains not; 1 M:in O:= O:in not; 1 M:in O:any-in O:in not
        1 M:in O:in; 1 C:any-in M:in O:any-mixed; 1 C:any-all O:any-mixed not; 1 C:any-all O:any-startswith not""",
    "k8s_audit (48)": """
        9 C:= M:= M:exists M:in M:startswith; 9 C:= M:exists M:in M:startswith; 4 C:= M:= M:in O:intersects not; 3 C:= M:= M:in not
        2 C:any-= M:= M:in O:intersects; 2 C:= M:exists M:in M:startswith not; 1 C:= M:= M:in O:any-intersects not
        1 C:= M:= M:in O:= not; 1 C:= C:in M:in O:any-contains; 1 M:in O:= not; 1 C:= C:exists O:= O:any-= O:in not; 1 O:in not
        1 C:= C:exists C:in M:in O:in not; 1 C:= C:in M:= M:in not; 1 C:= C:in M:= M:in M:startswith not
        1 C:any-= M:in O:any-mixed O:startswith not; 1 C:= M:= M:in O:=; 1 C:any-= M:= M:in O:any-intersects
        1 C:= M:= M:exists M:in M:startswith not; 1 C:= M:exists M:in not; 1 M:in O:=; 1 M:in O:in not
        1 M:= M:exists M:in M:startswith O:= not; 1 C:= M:= M:in M:startswith not""",
    "gcp_auditlog (39)": """
        25 C:= O:=; 5 C:= O:any-contains; 2 C:= O:any-=; 2 C:= O:contains; 1 C:= C:any-contains C:contains O:=
        1 C:= C:any-contains C:contains; 1 C:=; 1 C:any-contains C:contains O:=; 1 O:=""",
    "aws_cloudtrail (22)": "12 O:= not; 3 C:= O:= not; 2 C:= not; 1 O:order; 1 C:= O:any-= not; 1 C:= not; 1 C:= not; 1 O:= O:any-= not",
    "okta (21)": "18 O:=; 2 O:order; 1 O:= not",
    "github (15)": "4 C:= M:=; 3 M:= O:=; 3 C:= O:=; 2 O:=; 2 C:=",
}
CLUSTER = 7  # rules with the same values of `C`
# What stands for each word; {0} is the number of the rule, or of its cluster for `C`
MOST = {
    "=": "docker.action = start",
    "in": "docker.type in (container, service)",
    "exists": "docker.actor.id exists",
    "startswith": "docker.scope startswith l",
}
OWN = {
    "=": "docker.attributes.name = x{0}-7",
    "in": "docker.attributes.name in (x{0}-7, y{0}, z{0})",
    "startswith": "docker.attributes[path] startswith /srv/x{0}/",
    "endswith": "docker.attributes[program] endswith /x{0}",
    "contains": "docker.attributes[command] contains x{0}-",
    "glob": "docker.attributes[command] glob '*x{0}-*'",
    "exists": "docker.actor.id exists",
    "order": "docker.exitcode >= 1{0}",
    "intersects": "docker.container.caps.added intersects (x{0}, y{0})",
    "any-=": "(docker.attributes.name = x{0}-7 or docker.attributes.name = y{0})",
    "any-in": "(docker.attributes.name in (x{0}-7, y{0}) or docker.attributes[program] in (/bin/x{0}, /sbin/x{0}))",
    "any-startswith": "(docker.attributes[path] startswith /srv/x{0}/ or docker.attributes[path] startswith /opt/x{0}/)",
    "any-contains": "(docker.attributes[command] contains x{0}- or docker.attributes[command] contains y{0}-)",
    "any-intersects": "(docker.container.caps.added intersects (x{0}) or docker.container.caps.added intersects (y{0}))",
    "any-mixed": "(docker.attributes[path] startswith /srv/x{0}/ or docker.attributes[command] contains y{0}-)",
    "any-all": "(docker.attributes.name = x{0}-7 and docker.attributes[command] contains x{0}- or docker.attributes[path] = /y{0})",
    "any-loose": "(docker.attributes.name = x{0}-7 or docker.exitcode >= 1{0})",
}
SEVERAL = {
    "=": "docker.attributes.image = c{0}",
    "in": "docker.attributes[team] in (c{0}, d{0})",
    "contains": "docker.attributes[stage] contains c{0}-",
    "exists": "docker.attributes[team] exists",
    "order": "docker.time >= 0",
    "any-=": "(docker.attributes.image = c{0} or docker.attributes.image = d{0})",
    "any-in": "(docker.attributes.image in (c{0}, d{0}) or docker.attributes[team] in (c{0}, d{0}))",
    "any-contains": "(docker.attributes[stage] contains c{0}- or docker.attributes[stage] contains d{0}-)",
    "any-mixed": "(docker.attributes.image = c{0} or docker.attributes[stage] contains c{0}-)",
    "any-all": "(docker.attributes.image = c{0} and docker.attributes[team] in (c{0}) or docker.attributes[stage] contains d{0}-)",
    "any-loose": "(docker.attributes.image = c{0} or docker.exitcode >= 1{0})",
}
NEGATIONS = "not docker.attributes.name in (u{0}, v{0}) and not docker.attributes[command] startswith w{0}"


def starts(rules: int) -> list[bytes]:
    """Return starts of containers, which have all values that most rules need; one in ten has those of a rule, one those of a cluster."""
    event = next(json.loads(line) for line in RECORDING.read_bytes().splitlines() if b'"Action":"start"' in line)
    attributes = event["Actor"]["Attributes"]
    found = []
    for number in range(STARTS):
        rule = number // 10 * 7919 % rules
        own, cluster = f"x{rule}" if number % 10 == 0 else "other", f"c{rule // CLUSTER}" if number % 10 < 2 else "other"
        attributes |= {"name": f"{own}-7", "path": f"/srv/{own}/data", "command": f"run {own}- now", "program": f"/bin/{own}"}
        attributes |= {"image": cluster, "team": cluster, "stage": f"{cluster}-test"}
        attributes |= {"exitCode": "3"} if number % 10 == 2 else {}
        event["lanner"] = {"inspect": {"caps": {"added": {own: True}}}}
        found.append(json.dumps(event, separators=(",", ":")).encode())
        attributes.pop("exitCode", None)
    return found


def conditions(count: int, shapes: str) -> Iterator[str]:
    """Yield that many conditions of the shapes in a string, each as often as the text says in proportion."""
    words = [each.split() for each in shapes.replace("\n", ";").split(";") if each.strip()]
    forms = [form for number, *form in words for _ in range(int(number))]
    for number in range(count):
        parts = []
        for word in forms[number % len(forms)]:
            shared, _, kind = word.partition(":")
            given, own = {"M": (MOST, 0), "C": (SEVERAL, number // CLUSTER), "O": (OWN, number), "not": ({"": NEGATIONS}, number)}[shared]
            parts.append(given[kind].format(own))
        yield " and ".join(parts)


def single() -> None:
    """Measure rules of one shape that share equalities."""
    parts = blocks(starts(MANY))
    limit = bare(parts) / STARTS * 1e6
    rows = []
    for what, condition in SINGLE.items():
        one, many = (matching(compiled(repeated(count, SHARED + condition)), parts) for count in (1, MANY))
        rows.append([what, f"{one.cost:.2f}", *_row(many.cost, many.evaluated, many.matched, limit), f"{many.cost / one.cost:.1f}x"])
    header = ["", "1 rule", f"{MANY:,} rules", "evaluated", "matched", "/ parse", f"{MANY:,} / 1"]
    table(f"{STARTS:,} starts, rules that share a type and an action: us an event, rules of an event", header, rows)


def public() -> None:
    """Measure rules with the shapes of public files."""
    parts: list[Lines] = blocks(starts(MANY))
    limit = bare(parts) / STARTS * 1e6
    rows = []
    for what, shapes in PUBLIC.items():
        progress(f"executor: shapes of {what}")
        for count in (MANY // 10, MANY):
            found = matching(compiled(list(conditions(count, shapes))), parts, first=False)
            rows.append([what, f"{count:,}", *_row(found.cost, found.evaluated, found.matched, limit)])
    header = ["", "rules", "us/event", "evaluated", "matched", "/ parse"]
    table(f"{STARTS:,} starts, all matching rules of the shapes that public files have: rules of an event", header, rows)


def _row(cost: float, evaluated: int, matched: int, limit: float) -> list[str]:
    return [f"{cost:.2f}", f"{evaluated / STARTS:.2f}", f"{matched / STARTS:.2f}", f"{cost / limit:.1f}x"]
