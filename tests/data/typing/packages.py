# ruff: noqa: B018, F403, F405 - some lines are wrong on purpose

import lanner
from lanner import *
from lanner import testing
from lanner.rules import RuleSet

reveal_type(Event(b"").payload)  # reveals: bytes
reveal_type(RuleSet.rules)  # reveals: tuple[lanner.rules.resolve.rule.Rule, ...]
reveal_type(testing.ReplayResult.alerts)  # reveals: list[lanner.host.trial.Alert]
reveal_type(lanner.sources.tail("log"))  # reveals: lanner.sources.tailing.Tail
reveal_type(lanner.sources.queue().put(b""))  # reveals: bool
lanner.sources.tails  # error: [attr-defined]
lanner.Plugins  # error: [attr-defined]
lanner.rules.Compile  # error: [attr-defined]
testing.hosts  # error: [attr-defined]
