"""Parse one comparison of a condition: left side, operator and right side. `lanner.rules.condition.parser` has the grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from lanner.rules.condition import lexer as words
from lanner.rules.condition.ast import (
    Check,
    Constant,
    ConstantList,
    Field,
    Operand,
    OperandList,
    Transform,
)
from lanner.rules.condition.suggestions import advise_operator, advise_symbol
from lanner.rules.findings import ConditionError
from lanner.rules.language import vocabulary

if TYPE_CHECKING:
    import re

    from lanner.rules.condition.lexer import Scanner
    from lanner.rules.language.vocabulary import Modifier, Operator

MAX_TRANSFORMERS: Final = 50

_TRANSFORMERS: Final = vocabulary.list_names(tuple(row.name for row in vocabulary.TRANSFORMERS))
_ADVICE_ON_LISTS: Final = "Write the list in parentheses: `(a, b)`."
_OPERATORS: Final = vocabulary.list_names(tuple(row.name for row in vocabulary.OPERATORS))


class ComparisonParser:
    """Reads comparisons, and their parts, at the scanner's place. `shared` caches the items of lists by their strings."""

    def __init__(self, scan: Scanner, shared: dict[str, tuple[Constant, ...]]) -> None:
        self.scan = scan
        self.shared = shared
        self.transformers = 0  # number of open transformers

    def left(self) -> Field | Transform | None:
        """Read a field or a transformer, or return None."""
        scan = self.scan
        begin = scan.at
        if scan.match(words.FIELD_NAME):
            return self._field(begin)
        if scan.match(words.TRANSFORMER):
            return self._transform(begin)
        return None

    def _field(self, begin: int) -> Field:
        name = self.scan.last
        return Field(name, self._brackets(), self.scan.span(begin))

    def _brackets(self) -> str | None:
        scan = self.scan
        if not scan.take("["):
            return None
        if not scan.skip_quoted() and not scan.match(words.BARE_ARGUMENT):
            raise scan.error("expected a valid field argument: a quoted string or a bare string")
        argument = scan.last
        if not scan.take("]"):
            raise scan.error("expected a ']' token")
        return argument

    def _quick_comparison(self, found: re.Match[str]) -> Check:
        """Read the check that starts with the field in a match of `OPERAND`, as `_comparison` does."""
        scan = self.scan
        begin, last = found.start(words.FIELD), found.lastindex or 0
        name, argument = found[words.FIELD], found[words.ARGUMENT]
        end = found.end(words.FIELD) if argument is None else found.end(words.ARGUMENT) + 1
        left = Field(name, argument, (scan.base + begin, scan.base + end))
        scan.at = found.end()
        scan.last = operator = found[last]
        modifier = None
        right: Operand | None
        if last == words.EXISTS:
            right = None
        elif last == words.BEFORE_NUMBER:
            right = self._number_side()
        elif last == words.BEFORE_LIST:
            right = self._list_side(transformers=True)
        else:
            right = self._plain_text()
            if right is None:
                modifier = self._modifier()
                right = self._list_side(transformers=False) if modifier else self._text_side()
        return Check(left, cast("Operator", operator), right, modifier, scan.span(begin))

    def _plain_text(self) -> Constant | None:
        """Return the text at the cursor, after blanks, if it has no escapes and is neither a transformer nor a modifier."""
        scan = self.scan
        found = words.TEXT.match(scan.text, scan.at)
        if found is None:
            return None
        quoted = found[2] is None
        begin, scan.at = found.span(1 if quoted else 2)
        scan.last = found[1][1:-1] if quoted else found[2]
        return Constant(scan.last, quoted, scan.span(begin))

    def _comparison(self, left: Field | Transform, begin: int) -> Check:
        scan = self.scan
        scan.skip_blanks()
        if scan.take("exists"):
            return Check(left, "exists", None, None, scan.span(begin))
        modifier = None
        right: Operand
        if scan.match(words.NUMBER_OPERATOR):
            operator = scan.last
            right = self._number_side()
        elif scan.match(words.TEXT_OPERATOR):
            operator = scan.last
            modifier = self._modifier()
            right = self._list_side(transformers=False) if modifier else self._text_side()
        elif scan.match(words.LIST_OPERATOR):
            operator = scan.last
            right = self._list_side(transformers=True)
        else:
            raise scan.error(f"expected a valid check operator: one of {_OPERATORS}", advice=advise_operator(scan.next_word()))
        return Check(left, cast("Operator", operator), right, modifier, scan.span(begin))

    def _modifier(self) -> Modifier | None:
        """Read oneof, anyof or allof if it is a modifier and not a string: `= oneof` without a list compares with a string."""
        scan = self.scan
        blank = scan.skip_blanks()
        at, last = scan.at, scan.last
        if blank and scan.match(words.MODIFIER):
            modifier = scan.last
            scan.skip_blanks()
            if (scan.text.startswith("(", scan.at) or scan.sees(words.IDENTIFIER)) and not scan.sees(words.KEYWORD):
                return cast("Modifier", modifier)
        scan.at, scan.last = at, last
        return None

    # The right side

    def _number_side(self) -> Operand:
        operand = self._right_transform()
        if operand is not None:
            return operand
        constant = self._constant(words.NUMBER)
        if constant is None:
            raise self.scan.error(
                f"expected a number value or a field with a valid transformer: {_TRANSFORMERS}",
                advice=advise_symbol(self.scan.text[: self.scan.at + 1]) or "Write a number in digits: `> 1`.",
            )
        return constant

    def _text_side(self) -> Operand:
        operand = self._right_transform() or self._text()
        if operand is None:
            quoted = self.scan.text.startswith(("'", '"'), self.scan.at)
            advice = "The quote is not closed." if quoted else advise_symbol(self.scan.text[: self.scan.at + 1])
            raise self.scan.error(f"expected a string value or a field with a valid transformer: {_TRANSFORMERS}", advice=advice)
        return operand

    def _list_side(self, *, transformers: bool) -> Operand:
        self.scan.skip_blanks()
        operand = self._list() or (self._right_transform() if transformers else None) or self._constant(words.IDENTIFIER)
        if operand is None and transformers:
            message = f"expected a list, an identifier, or a field with a valid transformer: {_TRANSFORMERS}"
            raise self.scan.error(message, advice=_ADVICE_ON_LISTS)
        if operand is None:
            raise self.scan.error("expected a list or an identifier", advice=_ADVICE_ON_LISTS)
        return operand

    def _list(self) -> ConstantList | None:
        scan = self.scan
        begin = scan.at
        if not scan.take("("):
            return None
        # All that was read of a list up to the first parenthesis, so a list with the same text is always read the same
        written = scan.text[begin : scan.text.find(")", begin) + 1]
        if known := self.shared.get(written):
            scan.at = begin + len(written)
            scan.last = ")"
            return ConstantList(known, scan.span(begin))
        items = self._items(begin)
        if scan.at - begin == len(written):
            self.shared[written] = items
        return ConstantList(items, scan.span(begin))

    def _items(self, origin: int) -> tuple[Constant, ...]:
        """Return the items of the list whose parenthesis is at `origin`, from after it."""
        scan = self.scan
        scan.skip_blanks()
        first = self._first_text()
        items = [] if first is None else [self._from(origin, first)]
        self._plain_items(items, origin)
        scan.skip_blanks()
        while items and scan.take(","):
            scan.skip_blanks()
            item = self._text()
            if item is None:
                raise scan.error("expected a string value")
            items.append(self._from(origin, item))
            self._plain_items(items, origin)
            scan.skip_blanks()
        if not scan.take(")"):
            raise scan.error("expected a ')' token")
        return tuple(items)

    def _from(self, origin: int, item: Constant) -> Constant:
        begin, end = item.span
        origin += self.scan.base
        return Constant(item.text, item.quoted, (begin - origin, end - origin))

    def _plain_items(self, items: list[Constant], origin: int) -> None:
        """Add the next items as long as they are plain: the fast path for lists, which rules files contain in plenty."""
        scan = self.scan
        while items and (found := words.NEXT_ITEM.match(scan.text, scan.at)):
            text, quoted = (found[2], False) if found[1] is None else (found[1][1:-1], True)
            scan.at = found.end()
            scan.last = text
            end = scan.at - origin
            items.append(Constant(text, quoted, (end - len(text) - 2 * quoted, end)))

    def _first_text(self) -> Constant | None:
        """Read the first text of a list. A string with an invalid escape is skipped, and Falco then treats the list as empty."""
        try:
            return self._text()
        except ConditionError as error:
            self.scan.at = error.falco_offset - self.scan.base
            return None

    def _text(self) -> Constant | None:
        scan = self.scan
        begin = scan.at
        if scan.skip_quoted():
            return Constant(scan.last, quoted=True, span=scan.span(begin))
        return self._constant(words.BARE_TEXT)

    def _constant(self, pattern: words.Pattern) -> Constant | None:
        scan = self.scan
        begin = scan.at
        return Constant(scan.last, quoted=False, span=scan.span(begin)) if scan.match(pattern) else None

    def _right_transform(self) -> Transform | None:
        scan = self.scan
        scan.skip_blanks()
        begin = scan.at
        if scan.match(words.TRANSFORMER):
            return self._transform(begin)
        if not scan.take("val("):
            return None
        scan.skip_blanks()
        scan.last = "val"
        inner = scan.at
        if not scan.match(words.FIELD_NAME):
            raise scan.error("expected a field within 'val' transformer")
        child = self._field(inner)
        return self._close("val", (child,), begin)

    # Transformers

    def _transform(self, begin: int) -> Transform:
        """Read a transformer: name "(" argument ("," argument)* ")" selector?, from after its parenthesis."""
        scan = self.scan
        if self.transformers >= MAX_TRANSFORMERS:
            raise ConditionError(f"more than {MAX_TRANSFORMERS} transformers are open here", scan.base + begin, scan.at - begin)
        self.transformers += 1
        scan.last = name = scan.last[:-1]
        arguments = [self._argument()]
        scan.skip_blanks()
        while scan.take(","):
            arguments.append(self._argument())
            scan.skip_blanks()
        self.transformers -= 1
        return self._close(name, tuple(arguments), begin)

    def _close(self, name: str, arguments: tuple[Field | Transform | Constant | OperandList, ...], begin: int) -> Transform:
        scan = self.scan
        scan.skip_blanks()
        if not scan.take(")"):
            raise scan.error("expected a ')' token closing the transformer")
        return Transform(name, arguments, self._brackets(), scan.span(begin))

    def _argument(self) -> Field | Transform | Constant | OperandList:
        scan = self.scan
        scan.skip_blanks()
        begin = scan.at
        argument = self._constant(words.NUMBER) or self._read_quoted()
        if argument is not None:
            return argument
        if scan.take("("):
            return self._operand_list(begin)
        operand = self.left()
        if operand is None:
            raise scan.error("expected field transformer argument: field, transformer, quoted string, number, or transformer list")
        return operand

    def _operand_list(self, begin: int) -> OperandList:
        scan = self.scan
        scan.skip_blanks()
        if scan.take(")"):
            return OperandList((), scan.span(begin))
        items = [self._list_item()]
        scan.skip_blanks()
        while scan.take(","):
            scan.skip_blanks()
            items.append(self._list_item())
            scan.skip_blanks()
        if not scan.take(")"):
            raise scan.error("expected ')'")
        return OperandList(tuple(items), scan.span(begin))

    def _list_item(self) -> Field | Transform | Constant:
        item = self.left() or self._read_quoted() or self._constant(words.NUMBER)
        if item is None:
            raise self.scan.error("expected transformer list argument: field, transformer, quoted string, or number")
        return item

    def _read_quoted(self) -> Constant | None:
        begin = self.scan.at
        return Constant(self.scan.last, quoted=True, span=self.scan.span(begin)) if self.scan.skip_quoted() else None
