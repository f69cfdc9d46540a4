"""Configurations that a .so reads without their class: either as the class does, or not at all."""

import json
import sys
from typing import Annotated, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, field

import lanner
from lanner.docker import Docker
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.options.config import load_config
from lanner.sdk.options.plain import read_plain
from lanner.sdk.options.plain_description import describe_plain


class Group(lanner.Config):
    level: int = 1


class Options(lanner.Config):
    name: str = "a"
    is_loud: bool = False
    max_events: Annotated[int, Meta(ge=1, le=9)] = 5
    policy: Literal["keep", "drop"] = "keep"
    short: Annotated[str, Meta(max_length=2)] = ""
    maybe: bool | None = None
    labels: list[str] = field(default_factory=list)
    token: lanner.Secret | None = None
    group: Group | None = None


def inside(_):
    return True


def values_of(config, cls=Options):
    return {name: getattr(config, name) for name in cls.__struct_fields__}


NAMES = ["name", "isLoud", "maxEvents", "policy", "short", "maybe", "labels", "token", "group", "is_loud", "Name", "unknown"]
VALUES = st.sampled_from(["keep", "a", "", "abc", True, False, 0, 1, 9, 10, -1, 2**63, 1.0, 1.5, None, [], ["a"], {}, {"level": 2}])


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
@example({"group": None})  # not the default: the class makes a group of it
def test_a_plain_configuration_is_that_of_the_class(given):
    text = json.dumps(given)
    plain = read_plain(describe_plain(Options, inside), text)
    if plain is not None:
        assert vars(plain) == values_of(load_config(Options, text))


@given(st.text(max_size=20) | st.binary(max_size=20).map(lambda text: text.decode("utf-8", "surrogateescape")))
def test_no_text_does_harm(text):
    plain = read_plain(describe_plain(Options, inside), text)
    assert plain is None or vars(plain) == values_of(load_config(Options, text))


@pytest.mark.parametrize(
    "text", ["", " ", "null", "{}", '{"name":"b","isLoud":true,"maxEvents":9,"policy":"drop"}', '{"name":"b","name":"c"}']
)
def test_plain_options_need_no_class(text):
    assert vars(read_plain(describe_plain(Options, inside), text)) == values_of(load_config(Options, text))


@pytest.mark.parametrize(
    "text", ["{", "1", '{"maxEvents":0}', '{"isLoud":1}', '{"Name":"b"}', '{"unknown":1}', '{"short":"ab"}', '{"token":"x"}']
)
def test_the_class_decides_about_the_rest(text):
    assert read_plain(describe_plain(Options, inside), text) is None


def test_the_docker_plugin_starts_with_its_defaults():
    kind = plugin_info(Docker).config
    assert vars(read_plain(describe_plain(kind, inside), "")) == values_of(kind(), kind)


class Checked(lanner.Config):
    name: str = ""

    def __post_init__(self):
        raise ValueError


class WithMethod(lanner.Config):
    name: str = ""

    def upper(self):
        return self.name.upper()


class Needed(lanner.Config):
    name: str


class Frozen(lanner.Config, frozen=True):
    name: str = ""


class WithTuple(lanner.Config):
    places: tuple[int, ...] = ()


@pytest.mark.parametrize("cls", [Checked, WithMethod, Needed, Frozen, WithTuple, type("Derived", (Checked,), {})])
def test_a_class_that_does_more_than_declare_plain_defaults_is_always_used(cls):
    assert describe_plain(cls, inside) == ""


def test_a_class_that_has_changed_since_the_build_is_used(tmp_path, monkeypatch):
    module = tmp_path / "late.py"
    module.write_text("import lanner\nclass Late(lanner.Config):\n    size: int = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "late", raising=False)
    from late import Late

    description = describe_plain(Late, lambda _: False)
    assert read_plain(description, "").size == 1
    module.write_text(module.read_text().replace("= 1", "= 2"))
    assert read_plain(description, "") is None
    module.unlink()
    assert read_plain(description, "") is None


def test_secrets_are_masked():
    assert repr(read_plain(describe_plain(Options, inside), '{"name":"tcp://a:b@c"}')).startswith("PlainConfig(name='tcp://***@c', ")


LATE = """
import lanner

def __getattr__(name):
    if name == "Options":
        from late_options import Options
        return Options
    raise AttributeError(name)

class Late(lanner.Plugin):
    "Has its configuration class in another module."
    id, name, version, event_source = 999, "late", "0.1.0", "late"
    contact = "example.com"
    config: "Options"

    def open(self, params):
        yield str(self.config.size)
"""


def test_a_module_may_import_its_configuration_class_late(tmp_path, monkeypatch):
    (tmp_path / "late_plugin.py").write_text(LATE)
    (tmp_path / "late_options.py").write_text("import lanner\nclass Options(lanner.Config):\n    size: int = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    import late_plugin

    info = plugin_info(late_plugin.Late)
    assert info.has_late_config
    assert info.config.__struct_fields__ == ("size",)
    with lanner.testing.host(late_plugin.Late, {"size": 8}) as host:
        assert host.next().payload == b"8"


def test_a_late_class_is_checked_as_any_other(tmp_path, monkeypatch):
    (tmp_path / "wrong_plugin.py").write_text(LATE.replace("late_options", "wrong_options"))
    (tmp_path / "wrong_options.py").write_text("Options = int\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(lanner.DefinitionError, match=r"write a class that derives from lanner\.Config"):
        import wrong_plugin  # noqa: F401


def test_names_of_named_tuples_are_as_those_of_typing():
    from typing import NamedTuple

    from lanner.sdk.typing_marks import NamedTuple as Own

    made = []
    for base in (NamedTuple, Own):
        namespace = {"base": base}
        exec(
            "from __future__ import annotations\nclass Pair(base):\n    'Two.'\n    a: int\n    b: str = 'x'\n"
            "    @property\n    def both(self):\n        return (self.a, self.b)\n",
            namespace,
        )
        made.append(namespace["Pair"])
    theirs, ours = made
    assert (ours._fields, ours._field_defaults, ours.__doc__, ours.__name__, ours.__qualname__, ours.__module__) == (
        *(theirs._fields, theirs._field_defaults, theirs.__doc__, theirs.__name__, theirs.__qualname__, theirs.__module__),
    )
    assert (ours(1), ours(1).both, ours(1)._replace(b="y")) == ((1, "x"), (1, "x"), (1, "y"))
    assert repr(ours(1)) == repr(theirs(1))
