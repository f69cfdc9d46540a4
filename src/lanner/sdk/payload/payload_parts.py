"""Parts of a whole payload that have a name: at a JSON pointer, or in a line of a fixed form."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, final

from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.path_parts import Data, part_data
from lanner.sdk.payload.values import Value
from lanner.sdk.payload.words import FieldArgument

PartForm: TypeAlias = Literal["pointer", "logfmt", "cef"]
_NEEDS: Final[dict[PartForm, str]] = {
    "pointer": '`pointer` needs a JSON pointer, such as "/spec/containers/0/image"',
    "logfmt": '`logfmt` needs a name, such as logfmt["level"]',
    "cef": '`cef` needs a name, such as cef["deviceVendor"]',
}


@final
class PayloadPart(Value):
    """The text at a name in the payload; `KEY` stands for the field's argument."""

    form: PartForm
    name: str | FieldArgument

    def __post_init__(self) -> None:
        """Check the name. Raises `DefinitionError`."""
        if self.name is FieldArgument.INDEX or not isinstance(self.name, str):
            raise DefinitionError(f"{_NEEDS[self.form]}, or KEY, not {self.name!r}")

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        return frozenset({self.name} if isinstance(self.name, FieldArgument) else ())

    def data(self) -> Data:
        return [self.form, part_data(self.name)]
