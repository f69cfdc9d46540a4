"""Nodes of trees of values: what evaluators and checks read of a value, without the words that make new ones."""

from __future__ import annotations

from lanner.sdk.records import Record
from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lanner.sdk.payload.path_parts import Data
    from lanner.sdk.payload.words import FieldArgument


class Node(Record):
    """A node: the type of its field, its arguments, and its form as data."""

    @property
    def type(self) -> FieldType:
        """The type of the field that this value makes."""
        return FieldType.STRING

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of `type`."""
        return False

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        """The field arguments that this node itself needs, without its children."""
        return frozenset()

    def data(self) -> Data:
        """Return the tree as lists of plain data: [word, operand, ...]."""
        raise NotImplementedError
