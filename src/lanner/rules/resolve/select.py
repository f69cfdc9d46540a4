"""Select rules: the effect of `rules` and `priority` of falco.yaml on a rule set.

The input are resolved rules, the output are those that run, in the order of evaluation. All rules are compiled, selected or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from lanner.rules.files.items import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.rules.resolve.rule import Rule


class Switch(Struct, frozen=True, gc=False):
    """A switch for rules: those whose name matches `rule`, and those that have `tag`. An empty text matches none."""

    enable: bool
    rule: str = ""
    tag: str = ""

    def concerns(self, rule: Rule) -> bool:
        """Return whether it switches this rule."""
        return any(test(rule) for test in self.tests())

    def tests(self) -> Iterator[Callable[[Rule], bool]]:
        """Yield the tests for its rules, the name's first."""
        if self.rule:
            yield lambda rule: matches_wildcard(self.rule, rule.name)
        if self.tag:
            yield lambda rule: self.tag in rule.tags


def select(rules: Sequence[Rule], switches: Sequence[Switch] = (), least: Priority = Priority.DEBUG) -> tuple[Rule, ...]:
    """Return the rules that run, in order. A rule that is switched off and on again comes last.

    Rules less urgent than `least` never run, regardless of the switches.
    """
    known = [rule for rule in rules if rule.priority <= least]
    running = dict.fromkeys(rule for rule in known if rule.enabled)
    for switch in switches:
        for test in switch.tests():
            for rule in filter(test, known):
                if switch.enable:
                    running.setdefault(rule)
                else:
                    running.pop(rule, None)
    return tuple(running)


def matches_wildcard(pattern: str, text: str) -> bool:
    """Return whether the text matches the pattern, in which `*` is anything.

    The text after a `*` is searched for once, so that `*foo` does not match "foo foo".
    """
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    if not text.startswith(first):
        return False
    at = len(first)
    for word in filter(None, others):
        found = text.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return pattern.endswith("*") or at == len(text)
