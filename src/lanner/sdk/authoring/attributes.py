"""Find attributes of a plugin class that no host reads: misspelt ones, those of other plugin APIs, and forgotten fields."""

from __future__ import annotations

import sys
from types import FunctionType

from lanner.sdk.authoring.fields import FieldDeclaration, method_declaration
from lanner.sdk.authoring.type_hints import raw_annotations, resolve
from lanner.sdk.text.misspelt import find_misspelt, find_near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Final

_LACKING: Final = dict.fromkeys(("parse_sources", "parse_event_sources"), "event parsing") | dict.fromkeys(
    ("async_sources", "async_event_sources", "async_events"), "async events"
)
"""Attributes that declare features of Falco's plugin API that Lanner does not support."""
_OF_OTHER_APIS: Final = {
    "author": "contact",
    "config_class": "config",
    "configuration": "config",
    "desc": "description",
    "event_sources": "extract_sources",
    "extract_event_sources": "extract_sources",
    "init_config": "config",
    "maintainer": "contact",
    "options": "config",
    "recording": "example",
    "rules_file": "rules",
    "rules_files": "rules",
    "settings": "config",
    "source": "event_source",
    "url": "contact",
}
"""Names for what Lanner calls otherwise."""
_NEVER_CALLED: Final = {
    "close": "write it in the class of the object that open returns",
    "destroy": "the object that open returns has a method close()",
    "extract": "declare fields with lanner.field",
    "extract_fields": "declare fields with lanner.field",
    "get_fields": "declare fields with lanner.field",
    "info": "the class attributes are its result",
    "init": "write __init__(self), which can read self.config",
    "next_batch": "open yields the events",
    "read_chunk": "write it in the class of the object that open returns",
    "to_string": "write event_to_string(self, event)",
}
"""Methods of other plugin APIs, or of open instances, each with what Lanner has instead."""
_PREFIX: Final = "plugin_"


def find_unknown(cls: type, plugin: type) -> str:
    """Return the problem with the first attribute of `cls` that is not one of `plugin`, the base class of plugins, or "".

    Methods, properties and nested classes are helpers of the author, and so are names in capitals or with an underscore before them.
    """
    public = (name for name in (*vars(plugin), *raw_annotations(plugin)) if not name.startswith("_"))
    known = dict.fromkeys(("open", "config", *public))
    for base in cls.__mro__:
        if base is plugin or not issubclass(base, plugin):
            continue
        own = vars(base)
        for name in dict.fromkeys((*own, *raw_annotations(base))):
            if name in known or name.startswith("__"):
                continue
            problem = _problem(cls, name, own[name], known) if name in own else _problem_of_annotation(base, name, known)
            if problem:
                return problem
    return ""


def _problem(cls: type, name: str, value: Any, known: Mapping[str, None]) -> str:
    if method_declaration(cls.__name__, name, value) is not None:
        return ""
    kind = _config_class(value)
    if kind is not None and not name.startswith("_") and not kind.__qualname__.endswith(f".{name}"):
        return f"unknown attribute {name!r}: to declare the configuration, write `config: {kind.__name__}`"
    if name in _LACKING:
        return f"{name!r} declares the capability {_LACKING[name]}, which Lanner does not support: remove it"
    if near := find_misspelt(name, known):
        return f"unknown attribute {name!r}: did you mean {near!r}? If not, begin its name with an underscore"
    if any(declaration not in _collect_declarations(cls) for declaration in _declarations(value)):
        return f"{name!r} holds a field that is not in 'fields', so no host would see it: add it there"
    if isinstance(value, FunctionType) and name in _NEVER_CALLED:
        return f"no host calls a method {name!r} of the plugin: {_NEVER_CALLED[name]}. For a helper, begin its name with an underscore"
    if name.startswith("_") or name.isupper() or isinstance(value, type) or callable(value) or hasattr(type(value), "__get__"):
        return ""
    near = _suggestion(name, known)
    question = f"did you mean {near!r}? If not" if near else "for a constant of yours"
    return f"unknown attribute {name!r}: {question}, write it in capitals, or begin its name with an underscore"


def _problem_of_annotation(base: type, name: str, known: Mapping[str, None]) -> str:
    """Return the problem with an attribute that is only annotated: a plugin may declare its instances' attributes in this way."""
    if near := find_misspelt(name, known):
        return f"unknown attribute {name!r}: did you mean {near!r}? If not, begin its name with an underscore"
    if not name.startswith("_") and _is_config(raw_annotations(base)[name], base):
        return f"unknown attribute {name!r}: did you mean 'config'? Only the attribute of that name gets the plugin's configuration"
    return ""


def describe_config_value(value: Any) -> str:
    """Return the problem with a value of the attribute `config`, which must be an annotation."""
    kind = _config_class(value)
    if kind is None:
        return f"'config' is a {type(value).__name__}: write a class that derives from lanner.Config, and `config: ThatClass`"
    if kind.__name__ == "config":
        return "'config' is a class: give that class another name, such as Options, and write `config: Options`"
    written = kind.__name__ if value is kind else f"{kind.__name__}(...)"
    return f"`config = {written}` declares no configuration: write `config: {kind.__name__}`"


def _config_class(value: Any) -> type | None:
    """Return the configuration class that an attribute is, or whose instance it is."""
    config = sys.modules.get("lanner.sdk.options.config")  # without it there is no such class
    kind = value if isinstance(value, type) else type(value)
    return kind if config is not None and issubclass(kind, config.Config) else None


def _suggestion(name: str, known: Mapping[str, None]) -> str:
    bare = name.removeprefix(_PREFIX)
    if bare in known:
        return bare
    return _OF_OTHER_APIS.get(bare) or find_near(bare, known)


def _collect_declarations(cls: type) -> tuple[FieldDeclaration, ...]:
    fields = getattr(cls, "fields", ())
    return tuple(fields) if isinstance(fields, (tuple, list)) else ()


def _declarations(value: Any) -> Iterator[FieldDeclaration]:
    """Yield the fields in an attribute."""
    if isinstance(value, FieldDeclaration):
        yield value
    elif isinstance(value, (tuple, list)):
        yield from (each for each in value if isinstance(each, FieldDeclaration))


def _is_config(annotation: Any, base: type) -> bool:
    """Return whether an annotation is a configuration class."""
    try:
        found = resolve(annotation, vars(sys.modules[base.__module__]))
    except (NameError, TypeError, AttributeError, SyntaxError):
        return False
    return isinstance(found, type) and _config_class(found) is not None
