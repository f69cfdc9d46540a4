"""A plan on both executors, which must agree."""

from functools import partial

from lanner.native._executor import Executor as NativeExecutor
from lanner.rules.language.typed import All
from lanner.rules.plan.executor import Executor, compile_values
from lanner.rules.plan.native_program import make_program, native_value
from lanner.rules.plan.plan import make_plan


class Both:
    """A plan on both executors; `match` returns their common result. `get` returns values as for the Python executor."""

    def __init__(self, plan, get, *, first=True):
        self._python = Executor(plan, get, first=first)
        self._slots = range(len(plan.fields))
        # all values are given, so that none is open
        self._native = NativeExecutor(make_program(plan, [("absent",)] * len(plan.fields)), first)

    def match(self):
        matched = list(self._python.match())
        hits = self._native.match(tuple(native_value(self._python.value(slot)) for slot in self._slots))
        assert all(sure for _, _, sure, *_ in hits)
        assert [rule for _, rule, *_ in hits] == matched
        return matched


class Values:
    """Operands of an alert on both executors: a call returns the values on which they agree."""

    def __init__(self, operands, fields, get):
        self._python = compile_values(operands, get)
        self._given = [partial(get, slot) for slot in range(len(fields))]
        everything = make_plan([All(())], fields)
        self._native = NativeExecutor(make_program(everything, [("absent",)] * len(fields), wanted=[operands]), True)

    def __call__(self):
        values = self._python()
        ((*_, found),) = self._native.match(tuple(native_value(get()) for get in self._given))
        assert found == values
        assert list(map(type, found)) == list(map(type, values))
        return values
