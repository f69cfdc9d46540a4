"""A plugin class is checked when it is defined, and its errors say what to write."""

import copy
import functools
import pickle
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

import lanner
from lanner import INDEX, KEY, field, payload
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.types import Argument, FieldType

SOUND: dict[str, Any] = {
    "__doc__": "Events of doors.\n\nMore about it.",
    "__module__": __name__,
    "id": 4242,
    "name": "doors",
    "version": "0.1.0",
    "event_source": "doors",
    "contact": "github.com/you/doors",
    "open": lambda self, params: iter(()),
}
ABSENT = object()


def define(**changes: Any) -> type[lanner.Plugin]:
    attributes = {name: value for name, value in {**SOUND, **changes}.items() if value is not ABSENT}
    return type("Doors", (lanner.Plugin,), attributes)


def test_a_class_tells_all_that_hosts_want_to_know():
    info = plugin_info(define(fields=[field("doors.name", payload["name"], "The door")]))
    assert (info.id, info.name, info.version, info.event_source, info.contact) == (4242, "doors", "0.1.0", "doors", "github.com/you/doors")
    assert info.description == "Events of doors."
    assert info.has_source
    assert info.capabilities == ("sourcing", "extraction")
    assert [declaration.info.name for declaration in info.fields] == ["doors.name"]


def test_the_description_may_be_an_attribute():
    assert plugin_info(define(description="Watches doors")).description == "Watches doors"


def test_a_description_is_one_line_however_the_docstring_is_broken():
    assert plugin_info(define(__doc__="\n    Events of\n    doors.\n\n    More.\n")).description == "Events of doors."


def test_a_class_without_open_names_the_sources_it_reads():
    info = plugin_info(
        define(open=ABSENT, id=ABSENT, event_source=ABSENT, extract_sources=["syscall"], fields=[field("doors.a", payload["a"], "A")])
    )
    assert (info.id, info.event_source, info.extract_sources) == (None, None, ("syscall",))
    assert not info.has_source
    assert info.capabilities == ("extraction",)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 999},
        {"id": 2**31 - 1},
        {"version": "1.0.0-rc.1+build.5"},
        {"event_source": "my doors"},
        {"name": "my-doors_2"},
        {"contact": "Ada <ada@example.com>"},
        {"open": lambda *_: iter(())},
        {"open": lambda self, params="", *, more=1: iter(())},
        {"open": staticmethod(lambda params: iter(()))},
    ],
)
def test_unusual_but_sound(changes):
    define(**changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": ABSENT}, "'id' is missing; a plugin with open() has an id from 1 to 2^31-1"),
        ({"id": 0}, "'id' is 0;"),
        ({"id": 2**31}, "'id' is 2147483648;"),
        ({"id": True}, "'id' is True;"),
        ({"id": "5"}, "'id' is '5';"),
        ({"name": ABSENT}, "'name' is missing; write lower-case letters"),
        ({"name": "My Doors"}, "'name' is 'My Doors'; write lower-case letters"),
        ({"version": ABSENT}, 'write three numbers, such as version = "0.1.0"'),
        ({"version": "1.0"}, "'version' is '1.0'; write three numbers"),
        ({"version": "01.0.0"}, "'version' is '01.0.0'"),
        ({"version": "1.0.0-"}, "'version' is '1.0.0-'"),
        ({"version": "\u0661.0.0"}, "write three numbers"),
        ({"version": 1}, "'version' is 1;"),
        ({"contact": ABSENT}, "'contact' is missing; write where users find you"),
        ({"contact": " "}, "'contact' is ' '"),
        ({"__doc__": None}, "it has no description; write it as the class's docstring"),
        ({"__doc__": "  \n"}, "it has no description"),
        ({"event_source": ABSENT}, "'event_source' is missing; write the name for `source:` in rules"),
        ({"event_source": "syscall"}, "the event source 'syscall' is Falco's own; choose another name"),
        ({"event_source": " doors"}, "'event_source' is ' doors'"),
        ({"open": ABSENT}, "it has 'id' but no method open(self, params)"),
        ({"open": ABSENT, "id": ABSENT}, "it has 'event_source' but no method open(self, params)"),
        ({"open": ABSENT, "id": ABSENT, "event_source": ABSENT}, "it has neither an event source (a method open) nor fields"),
        (
            {"open": ABSENT, "id": ABSENT, "event_source": ABSENT, "fields": [field("a.b", payload["a"], "A")]},
            'without open() it must name the event sources that it reads: extract_sources = ("k8s_audit",), or lanner.ANY for all',
        ),
        ({"open": lambda self: iter(())}, "'open' must take the open parameters, one text: write def open(self, params: str)"),
        ({"open": lambda self, params, more: iter(())}, "'open' must take the open parameters, one text"),
        ({"open": lambda self, params, *, more: iter(())}, "'open' must take the open parameters, one text"),
        ({"extract_sources": "syscall"}, "'extract_sources' is 'syscall'; write a tuple of names"),
        ({"extract_sources": None}, "'extract_sources' is None; write a tuple of names"),
        ({"extract_sources": lanner.ANY}, "hosts give it no events of sources that it does not name"),
        ({"extract_sources": [""]}, "write a tuple of names"),
        ({"fields": None}, "'fields' is None; it must be a list of lanner.field(name, value, description)"),
        ({"host_logging": "no"}, "'host_logging' is 'no'; write True or False"),
        ({"value_offsets": 1}, "'value_offsets' is 1; write True or False"),
        ({"hint": 1}, "'hint' is 1; write a command that causes an event"),
        ({"rules": 1}, "'rules' is 1; write the name of a file in the directory of the module"),
        ({"fields": [5]}, "'fields' contains 5; it must be a list of lanner.field(name, value, description)"),
        ({"fields": field("a.b", payload["a"], "A")}, "put the one field in brackets"),
        ({"fields": [field("a.b", payload["a"], "A"), field("a.b", payload["b"], "B")]}, 'it declares the field "a.b" twice'),
        ({"timestamp": payload["time"]}, 'such as timestamp = payload["timeNano"].time("ns")'),
        ({"timestamp": payload[KEY].time("ns")}, "'timestamp' must be a place with a unit"),
        ({"timestamp": "time"}, "'timestamp' must be a place with a unit"),
        ({"rules": "no_such_file.yaml"}, "'rules' names 'no_such_file.yaml', but the directory of its module has no such file"),
        ({"example": "no_such_file.jsonl"}, "'example' names 'no_such_file.jsonl'"),
        ({"__annotations__": {"config": dict}}, "write a class that derives from lanner.Config"),
        ({"__annotations__": {"config": "NoSuchClass"}}, "cannot resolve the annotation of 'config'"),
    ],
)
def test_what_is_wrong_is_an_error_that_says_what_to_write(changes, says):
    with pytest.raises(lanner.DefinitionError) as caught:
        define(**changes)
    assert str(caught.value).startswith("plugin class Doors: ")
    assert says in str(caught.value)


def test_a_definition_error_is_a_type_error_too():
    with pytest.raises(TypeError):
        define(id=0)


def test_an_abstract_base_is_checked_in_its_subclasses_alone():
    class Base(lanner.Plugin, abstract=True):
        """Common to several."""

        contact = "github.com/you/doors"

        @field("doors.size", "Size of the payload")
        def size(self, event: lanner.Event) -> int:
            return len(event.payload)

    class Sub(Base):
        """A plugin class."""

        id, name, version, event_source = 4242, "doors", "0.1.0", "doors"

        def open(self, _params: str) -> Iterator[str]:
            yield "a"

    assert [declaration.info.name for declaration in plugin_info(Sub).fields] == ["doors.size"]
    with pytest.raises(lanner.DefinitionError):
        plugin_info(Base)


def test_fields_come_in_the_order_of_their_declaration_data_first():
    def first(self, event: lanner.Event) -> str: ...

    def second(self, event: lanner.Event) -> str: ...

    cls = define(
        fields=[field("a.z", payload["z"], "Z"), field("a.y", payload["y"], "Y")],
        first=field("a.x", "X")(first),
        second=field("a.b", "B")(second),
    )
    assert [declaration.info.name for declaration in plugin_info(cls).fields] == ["a.z", "a.y", "a.x", "a.b"]


def test_a_local_class_may_be_the_configuration():
    class Options(lanner.Config):
        flush_interval: Annotated[int, lanner.Meta(ge=1)] = 30

    class Doors(lanner.Plugin):
        """Doors."""

        id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
        contact = "github.com/you/doors"
        config: Options

        def open(self, _params: str) -> Iterator[str]:
            yield "a"

    assert plugin_info(Doors).config is Options


@pytest.mark.parametrize("name", ["doors", "", "doors.", ".name", "doors name.x", "1doors.name", "doors.1", "doors.näme", 5])
def test_names_of_fields_are_words_joined_by_dots(name):
    with pytest.raises(lanner.DefinitionError, match="write words joined by dots"):
        field(name, payload["a"], "A")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: field("a.b"),
        lambda: field("a.b", 5, "A"),
        lambda: field("a.b", "A", "B"),
        lambda: field("a.b", payload["a"]),
        lambda: field("a.b", payload["a"], " "),
        lambda: field("a.b", ""),
        lambda: field("a.b", payload[KEY] | payload[INDEX], "A"),
        lambda: field("a.b", "A")(5),
    ],
)
def test_a_field_has_a_value_or_a_method_and_a_description(wrong):
    with pytest.raises(lanner.DefinitionError):
        wrong()


@pytest.mark.parametrize(
    ("value", "kind", "is_list", "argument"),
    [
        (payload["a"], FieldType.STRING, False, None),
        (payload["a"].integer(), FieldType.UINT64, False, None),
        (payload["a"].time("ms"), FieldType.ABSTIME, False, None),
        (payload["a"].keys(), FieldType.STRING, True, None),
        (payload["a", KEY], FieldType.STRING, False, Argument(key=True, required=True)),
        (payload["a", INDEX].integer(), FieldType.UINT64, False, Argument(index=True, required=True)),
        (payload[KEY] | payload["a"], FieldType.STRING, False, Argument(key=True, required=False)),
        (payload["a"].when(payload[KEY], "x"), FieldType.STRING, False, Argument(key=True, required=True)),
    ],
)
def test_the_value_tells_type_and_argument(value, kind, is_list, argument):
    info = field("a.b", value, "A").info
    assert (info.type, info.is_list, info.argument) == (kind, is_list, argument)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: payload["a"].when(payload["b"]),
        lambda: payload["a"].when(payload["b"].integer(), "x"),
        lambda: payload["a"].time("minutes"),
        lambda: payload["a"].before(""),
        lambda: payload["a"].keys().integer(),
        lambda: payload["a"].integer().integer(),
        lambda: payload["a"] | payload["a"].integer(),
        lambda: payload[-1],
        lambda: payload[1.5],
        lambda: payload[True],
        lambda: payload[KEY, KEY],
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_is_written(wrong):
    with pytest.raises(lanner.DefinitionError):
        wrong()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("feilds", "fields"),
        ("field", "fields"),
        ("timestmap", "timestamp"),
        ("time_stamp", "timestamp"),
        ("eventSource", "event_source"),
        ("extract_source", "extract_sources"),
        ("discription", "description"),
        ("event_tostring", "event_to_string"),
        ("hitn", "hint"),
        ("rulse", "rules"),
    ],
)
def test_a_misspelt_attribute_is_refused_with_the_right_name(name, near):
    with pytest.raises(lanner.DefinitionError, match=f"plugin class Doors: unknown attribute {name!r}: did you mean {near!r}?"):
        define(**{name: ()})


def test_a_misspelt_annotation_is_refused():
    with pytest.raises(lanner.DefinitionError, match=r"unknown attribute 'confg': did you mean 'config'\?"):
        define(__annotations__={"confg": lanner.Config})


@pytest.mark.parametrize("name", ["parse_sources", "async_events"])
def test_a_capability_that_lanner_lacks_is_refused(name):
    with pytest.raises(lanner.DefinitionError, match=f"{name!r} declares the capability .*, which Lanner does not support"):
        define(**{name: ("doors",)})


@pytest.mark.parametrize(
    "name",
    [
        "names",
        "ids",
        "NAME",
        "FIELDS",
        "opened",
        "reopen",
        "rule",
        "hints",
        "versions",
        "timestamps",
        "source",
        "parse",
        "parse_event",
        "_feilds",
    ],
)
def test_an_ordinary_helper_is_allowed(name):
    def helper(self):
        return 1

    for value in (
        helper,
        staticmethod(helper),
        classmethod(helper),
        property(helper),
        functools.cached_property(helper),
        type("Inner", (), {}),
    ):
        define(**{name: value})


@pytest.mark.parametrize("name", ["LIMIT", "LIMIT_2", "_limit"])
def test_a_constant_is_allowed(name):
    assert getattr(define(**{name: 1}), name) == 1


def test_an_attribute_of_instances_may_be_annotated():
    define(__annotations__={"session": "requests.Session", "count": int, "_options": lanner.Config})


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("source", "did you mean 'event_source'? If not, write it in capitals, or begin its name with an underscore"),
        ("plugin_id", "did you mean 'id'?"),
        ("plugin_source", "did you mean 'event_source'?"),
        ("names", "did you mean 'name'?"),
        ("author", "did you mean 'contact'?"),
        ("rules_file", "did you mean 'rules'?"),
        ("init_config", "did you mean 'config'?"),
        ("extract_event_sources", "did you mean 'extract_sources'?"),
        ("zzz", "for a constant of yours, write it in capitals, or begin its name with an underscore"),
    ],
)
def test_an_unknown_attribute_is_refused_with_advice(name, advice):
    with pytest.raises(lanner.DefinitionError) as caught:
        define(**{name: "x"})
    assert str(caught.value).startswith(f"plugin class Doors: unknown attribute {name!r}: {advice}")


@pytest.mark.parametrize("name", ["close", "init", "next_batch", "extract", "read_chunk"])
def test_a_method_that_no_host_calls_is_refused_with_advice(name):
    with pytest.raises(
        lanner.DefinitionError, match=f"no host calls a method '{name}' of the plugin: .* begin its name with an underscore"
    ):
        define(**{name: lambda self: None})


@pytest.mark.parametrize("make", [lambda each: each, lambda each: (each,), lambda each: [each]])
def test_a_field_that_is_not_in_fields_is_refused(make):
    forgotten = lanner.field("doors.colour", payload["colour"], "Colour")
    with pytest.raises(lanner.DefinitionError, match="'COLOUR' holds a field that is not in 'fields'"):
        define(COLOUR=make(forgotten))
    define(COLOUR=make(forgotten), fields=(forgotten,))


def test_a_configuration_under_another_name_is_refused():
    class DoorConfig(lanner.Config):
        """Options."""

    with pytest.raises(lanner.DefinitionError, match=r"unknown attribute 'opts': did you mean 'config'\?"):
        define(__annotations__={"opts": DoorConfig})


class DoorOptions(lanner.Config):
    """Options of a plugin."""


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [
        ("config", DoorOptions, "`config = DoorOptions` declares no configuration: write `config: DoorOptions`"),
        ("config", DoorOptions(), "`config = DoorOptions(...)` declares no configuration: write `config: DoorOptions`"),
        ("config", {"path": "/dev"}, "'config' is a dict: write a class that derives from lanner.Config, and `config: ThatClass`"),
        ("config", type("config", (lanner.Config,), {}), "give that class another name, such as Options, and write `config: Options`"),
        ("settings", DoorOptions, "unknown attribute 'settings': to declare the configuration, write `config: DoorOptions`"),
    ],
)
def test_a_configuration_as_a_value_is_refused(attribute, value, says):
    with pytest.raises(lanner.DefinitionError) as caught:
        define(**{attribute: value})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: lanner.payload.name, "a value has no attribute 'name': to read the member of that name, write payload[\"name\"]"),
        (lambda: lanner.payload["a", 0, lanner.KEY].b, 'write payload["a", 0, KEY, "b"]'),
        (lambda: lanner.payload["a"].befor(":"), "a value has no method 'befor': did you mean before(\":\")?"),
        (lambda: lanner.payload["a"].int, "no method 'int': did you mean integer()?"),
        (lambda: lanner.payload["a"].bool, "no method 'bool': did you mean boolean()?"),
        (lambda: lanner.payload["a"].str, "no method 'str': did you mean text()?"),
        (lambda: lanner.payload["a"].date, 'did you mean time("ns")? If not, to read the member of that name, write payload["a", "date"]'),
        (lambda: lanner.logfmt["pct"].integr, "a value has no method 'integr': did you mean integer()?"),
        (lambda: lanner.logfmt["pct"].int, "did you mean integer()?"),
        (lambda: lanner.cef["src"].lowercase, "did you mean lower()?"),
        (lambda: lanner.payload["a", lanner.EACH].text().uppercase, "did you mean upper()?"),
        (lambda: (lanner.payload["a"] | lanner.payload["b"]).str, "did you mean text()?"),
        (lambda: lanner.pattern("(?P<a>.*)")["a"].bool, "did you mean boolean()?"),
        (lambda: lanner.payload["a"].split(",").jion(" "), 'did you mean join(" ")?'),
        (lambda: lanner.logfmt["pct"].where("b"), "'where' needs a place in a JSON payload"),
        (lambda: lanner.logfmt["pct"].zzz, "a value has no attribute 'zzz': its methods are when, unless, text"),
        (lambda: lanner.logfmt.level, "no attribute 'level': to read the member of that name, write logfmt[\"level\"]"),
        (lambda: lanner.pattern("(?P<a>.*)").a, 'write line["a"]'),
    ],
)
def test_an_attribute_instead_of_a_member_is_refused_with_advice(read, text):
    with pytest.raises(AttributeError) as caught:
        read()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("declare", "text"),
    [
        (lambda: field("a.b", payload["a"].integer, "A"), 'the value of the field "a.b" is the method `integer` without parentheses: '),
        (lambda: field("a.b", lanner.logfmt["a"].before, "A"), 'write before(":")'),
        (lambda: payload["a"].when(payload["b"].exists), "the method `exists` without parentheses: write exists()"),
        (lambda: payload["a"].integer() | payload["b"].integer, "the method `integer` without parentheses: write integer()"),
        (lambda: payload["a"] | "x", "`a | b` needs two values, not 'x': a constant text is lanner.text(...)"),
        (lambda: lanner.concat(payload["a"].text, "x"), "the method `text` without parentheses: write text()"),
        (lambda: payload["a", lanner.EACH].each(lanner.item["b"].lower), "write lower()"),
        (lambda: define(timestamp=payload["a"].time), 'the method `time` without parentheses: write time("ns")'),
        (lambda: lanner.gate(payload["a"].exists, field("a.b", payload["a"], "A")), "write exists()"),
    ],
)
def test_what_is_no_value_is_refused_with_advice(declare, text):
    with pytest.raises(lanner.DefinitionError) as caught:
        declare()
    assert text in str(caught.value)


def test_a_property_instead_of_a_member_is_refused_with_advice():
    with pytest.raises(lanner.DefinitionError, match=r'with a value such as payload\["name"\]'):
        lanner.field("a.b", lanner.payload.type, "A type")


def test_a_value_can_be_copied():
    value = lanner.payload["a", lanner.KEY]
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
