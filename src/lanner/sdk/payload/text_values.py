"""Values that are strings of the plugin's own: constants, and strings one after another."""

from __future__ import annotations

from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.operands import operand_text
from lanner.sdk.payload.values import Value, kind_of
from lanner.sdk.types import FieldType
from lanner.sdk.typing_marks import final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lanner.sdk.payload.path_parts import Data


@final
class Constant(Value):
    """The same text for every event."""

    content: str

    def data(self) -> Data:
        return ["constant", self.content]


@final
class Concat(Value):
    """Strings one after another."""

    values: tuple[Value, ...]

    @property
    def children(self) -> tuple[Value, ...]:
        return self.values

    def data(self) -> Data:
        return ["concat", [value.data() for value in self.values]]


def text(content: str) -> Constant:
    """Return a value that is this string for every event."""
    if not isinstance(content, str) or "\0" in content:
        raise DefinitionError(f"`text` needs a string without NUL, not {operand_text(content)}")
    return Constant(content)


def concat(*values: Value | str) -> Concat:
    """Return a value that joins the strings of these values. It has no value if one of them has no value."""
    made = tuple(text(value) if isinstance(value, str) else value for value in values)
    if not made:
        raise DefinitionError('`concat` needs at least one value: concat(payload["group"], "/", payload["name"])')
    for value in made:
        if not isinstance(value, Value) or value.type is not FieldType.STRING or value.is_list:
            said = kind_of(value) if isinstance(value, Value) else operand_text(value)
            raise DefinitionError(f"`concat` needs strings, not {said}: numbers become strings with text()")
    return Concat(made)
