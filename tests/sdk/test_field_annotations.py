"""The annotations of a field method declare its type, whether it is a list, and its argument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import wraps
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Optional, Union

import pytest

import lanner
from lanner.sdk.authoring.fields import method_declaration
from lanner.sdk.types import Argument, FieldType

if TYPE_CHECKING:
    from lanner import Event


def declared(method: Any) -> Any:
    declaration = method_declaration("P", "f", lanner.field("p.f", "F")(method))
    assert declaration is not None
    return declaration.info


def returning(annotation: Any) -> Any:
    def f(self, event): ...

    f.__annotations__ = {"return": annotation}
    return f


@pytest.mark.parametrize(
    ("annotation", "kind", "is_list"),
    [
        (str, FieldType.STRING, False),
        ("str", FieldType.STRING, False),
        (int, FieldType.UINT64, False),
        (bool, FieldType.BOOL, False),
        (str | None, FieldType.STRING, False),
        (Optional[int], FieldType.UINT64, False),  # noqa: UP045 - as older code writes it
        (list[str], FieldType.STRING, True),
        (list[int] | None, FieldType.UINT64, True),
        (tuple[bool, ...], FieldType.BOOL, True),
        (Sequence[str], FieldType.STRING, True),
        (IPv4Address, FieldType.IPADDR, False),
        (IPv4Address | IPv6Address | None, FieldType.IPADDR, False),
        (list[Union[IPv4Address, IPv6Address]], FieldType.IPADDR, True),  # noqa: UP007 - as older code writes it
        (IPv4Network | IPv6Network, FieldType.IPNET, False),
        (datetime, FieldType.ABSTIME, False),
        (timedelta, FieldType.RELTIME, False),
        (lanner.Abstime, FieldType.ABSTIME, False),
        (lanner.Reltime | None, FieldType.RELTIME, False),
        (list[lanner.Abstime], FieldType.ABSTIME, True),
        ("list[lanner.Abstime]", FieldType.ABSTIME, True),
    ],
)
def test_types(annotation, kind, is_list):
    info = declared(returning(annotation))
    assert (info.type, info.is_list) == (kind, is_list)


@pytest.mark.parametrize(
    "annotation",
    [
        float,
        bytes,
        dict,
        None,
        list,
        list[float],
        list[str | None],
        str | int,
        IPv4Address | IPv4Network,
        list[list[str]],
        tuple[str, int],
        Any,
    ],
)
def test_other_types_are_refused_with_those_that_can_be(annotation):
    with pytest.raises(lanner.DefinitionError, match=r'P\.f \(field "p\.f"\): .*use str, int, bool'):
        declared(returning(annotation))


def test_the_annotation_of_the_result_is_needed():
    def f(self, event): ...

    with pytest.raises(lanner.DefinitionError, match="annotate the return type"):
        declared(f)


def test_a_name_that_cannot_be_found_is_said():
    with pytest.raises(lanner.DefinitionError, match="'Nowhere' is not defined"):
        declared(returning("Nowhere"))


def test_other_annotations_may_name_what_a_type_checker_alone_imports():
    def f(self, event: Event) -> str: ...

    assert declared(f).type is FieldType.STRING


def no_argument(self, event) -> str: ...
def a_key(self, event, key: str) -> str: ...
def a_key_of_no_annotation(self, event, key) -> str: ...
def an_optional_key(self, event, key: str | None = None) -> str: ...
def a_named_key(self, event, *, key: str = "") -> str: ...
def an_index(self, event, index: int) -> str: ...
def either(self, event, key: str | None = None, index: int | None = None) -> str: ...


@pytest.mark.parametrize(
    ("method", "argument"),
    [
        (no_argument, None),
        (a_key, Argument(key=True, required=True)),
        (a_key_of_no_annotation, Argument(key=True, required=True)),
        (an_optional_key, Argument(key=True)),
        (a_named_key, Argument(key=True)),
        (an_index, Argument(index=True, required=True)),
        (either, Argument(key=True, index=True)),
    ],
)
def test_arguments(method, argument):
    assert declared(method).argument == argument


def other_name(self, event, name: str) -> str: ...
def wrong_type(self, event, key: int) -> str: ...
def index_as_text(self, event, index: str) -> str: ...
def both_needed(self, event, key: str, index: int) -> str: ...
def many(self, event, *keys: str) -> str: ...
def position_only(self, event, key: str, /) -> str: ...
def no_event(self) -> str: ...


@pytest.mark.parametrize("method", [other_name, wrong_type, index_as_text, both_needed, many, position_only, no_event])
def test_other_arguments_are_refused(method):
    with pytest.raises(lanner.DefinitionError, match=r'P\.f \(field "p\.f"\)'):
        declared(method)


async def a_coroutine(self, event) -> str: ...


def a_generator(self, event) -> str:
    yield "a"


@pytest.mark.parametrize("method", [a_coroutine, a_generator, staticmethod(no_argument), property(no_argument), "text"])
def test_a_field_is_a_plain_method(method):
    with pytest.raises(lanner.DefinitionError, match="a plain `def`"):
        lanner.field("p.f", "F")(method)


@pytest.mark.parametrize("wrapper", [staticmethod, classmethod, property])
def test_a_mark_inside_of_another_decorator_is_not_lost(wrapper):
    with pytest.raises(lanner.DefinitionError, match=f"remove @{wrapper.__name__}"):
        method_declaration("P", "f", wrapper(lanner.field("p.f", "F")(no_argument)))


def test_a_wrapped_method_keeps_its_annotations():
    @wraps(a_key)
    def wrapper(*args, **kwargs):
        return a_key(*args, **kwargs)

    assert declared(wrapper).argument == Argument(key=True, required=True)


def test_a_marked_method_stays_the_method():
    assert lanner.field("p.f", "F")(no_argument) is no_argument


def test_a_field_may_suggest_itself_for_outputs():
    assert not declared(no_argument).add_output
    assert method_declaration("P", "f", lanner.field("p.f", "F", add_output=True)(no_argument)).info.add_output
    assert lanner.field("p.f", lanner.payload["f"], "F", add_output=True).info.add_output


def test_a_field_that_needs_an_argument_cannot_suggest_itself():
    with pytest.raises(lanner.DefinitionError, match=r'field "p\.f" needs an argument, but add_output adds fields without one'):
        method_declaration("P", "f", lanner.field("p.f", "F", add_output=True)(a_key))
    with pytest.raises(lanner.DefinitionError, match="needs an argument"):
        lanner.field("p.f", lanner.payload[lanner.KEY], "F", add_output=True)
