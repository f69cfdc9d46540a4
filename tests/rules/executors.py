"""A plan on both executors, which have to agree."""

from lanner.native._executor import Executor as NativeExecutor
from lanner.rules.nativeplan import make_program, native_value
from lanner.rules.run import Executor


class Both:
    """A plan on both executors; `match` gives what they agree on. `get` gives values as the Python executor takes them."""

    def __init__(self, plan, get, *, first=True):
        self._python = Executor(plan, get, first=first)
        self._slots = range(len(plan.fields))
        # all values are given, so that none is open
        self._native = NativeExecutor(make_program(plan, [("absent",)] * len(plan.fields)), first)

    def match(self):
        matched = list(self._python.match())
        hits = self._native.match(tuple(native_value(self._python.value(slot)) for slot in self._slots))
        assert all(sure for _, _, sure, _ in hits)
        assert [rule for _, rule, _, _ in hits] == matched
        return matched
