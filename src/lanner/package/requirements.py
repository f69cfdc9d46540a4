"""Requirements of rules: the minimum engine version that supports everything they use, and the plugins they need.

The input are valid rules files. The output is `Requirements`, with the place in the rules for each requirement. Versions that the
files state count if they are higher. The engine version is derived from the grammar only: which system call fields an engine has, and
which whitespace it accepts between tokens, is not considered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lanner.package.oci import Dependency
from lanner.rules.condition.ast import Check, Transform, find, find_operands
from lanner.rules.condition.parser import parse, parse_operand
from lanner.rules.files.items import EngineVersion, PluginVersion
from lanner.rules.files.required_versions import parse_version
from lanner.rules.files.scalars import unsigned_number
from lanner.rules.findings import ConditionError
from lanner.rules.language.vocabulary import BY_OPERATOR, BY_TRANSFORMER, MODIFIERS, MODIFIERS_SINCE, Engine
from lanner.yamlfile.reader import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.rules.condition.ast import Operand
    from lanner.rules.files.items import ExceptionEntry, RulesFile
    from lanner.rules.resolve.collect import Definitions, RuleDefinition
    from lanner.yamlfile.source import Context


_0_28: Final = Engine((0, 8, 0), "0.28")
_0_31: Final = Engine((0, 11, 0), "0.31")
_0_33: Final = Engine((0, 15, 0), "0.33")
_0_37: Final = Engine((0, 31, 0), "0.37")
_0_42: Final = Engine((0, 57, 0), "0.42")

_KEYS: Final = {
    "exceptions": _0_28,
    "required_plugin_versions": _0_31,
    "override": _0_37,
    "capture": _0_42,
    "capture_duration": _0_42,
}
_PLACEHOLDER: Final = re.compile(r"%[0-9]*(?=[a-z0-9]+\()")


@dataclass(frozen=True, slots=True)
class Need:
    """A feature that needs an engine version: its description, and `file:line` ("" for rules as a whole)."""

    engine: Engine
    what: str
    where: str

    @property
    def version(self) -> str:
        """The engine version as three numbers."""
        return ".".join(map(str, self.engine.version))


@dataclass(slots=True)
class Requirements:
    """Requirements of rules: an engine version as three numbers, plugins, and the origin of each by name.

    `understated` lists stated requirements that are lower than the rules need.
    """

    engine: str
    dependencies: list[Dependency]
    origins: dict[str, str]
    understated: list[str] = field(default_factory=list)


def requirements(files: Iterable[RulesFile], collected: Definitions, plugin: str, version: str) -> Requirements:
    """Return the requirements of rules that use the fields of a plugin of this name and version. `collected` is the content of `files`."""
    files = list(files)
    found = sorted(needs(files, collected), key=lambda need: (need.engine.version, need.where == ""), reverse=True)
    most = found[0]
    result = Requirements(most.version, [], {"engine": f"{most.what}{_at(most.where)}: Falco {most.engine.falco} is the first that has it"})
    _stated_engine(files, result, most)
    _plugins(files, result, plugin, version)
    return result


def needs(files: Iterable[RulesFile], collected: Definitions) -> Iterator[Need]:
    """Yield every use of a feature that older engines do not support, including duplicates; at least one."""
    yield Need(_0_31, "rules on a plugin's fields", "")
    for file in files:
        for document in file.documents:
            for item in document.items if isinstance(document, Sequence) else ():
                if isinstance(item, Mapping):
                    yield from _of_item(item)
    for macro in collected.macros.values():
        yield from _of_condition(macro.condition.text, f"in the macro {macro.name}", _line(macro.context))
    for rule in collected.rules.values():
        yield from _of_rule(rule)


def _of_item(item: Mapping) -> Iterator[Need]:
    for key, engine in _KEYS.items():
        if node := item.values.get(key):
            yield Need(engine, f"the key `{key}`", _line((node.spot(),)))
    stated = item.values.get("required_engine_version")
    if isinstance(stated, Scalar) and unsigned_number(stated.value) is None:
        yield Need(_0_37, "`required_engine_version` as three numbers", _line((stated.spot(),)))
    versions = item.values.get("required_plugin_versions")
    for each in versions.items if isinstance(versions, Sequence) else ():
        if isinstance(each, Mapping) and (other := each.values.get("alternatives")):
            yield Need(_0_33, "`alternatives` of a required plugin", _line((other.spot(),)))


def _of_rule(rule: RuleDefinition) -> Iterator[Need]:
    about, where = f"in the rule {rule.name}", _line(rule.context)
    yield from _of_condition(rule.condition.text, about, where)
    for found in _PLACEHOLDER.finditer(rule.output.text):
        yield from _of_text(rule.output.text[found.end() :], about, where)
    for exception in rule.exceptions:
        inside = f"in the exception {exception.name} of the rule {rule.name}"
        for text in _texts(exception.comps):
            for word in text.split():
                yield from _of_words(word, inside, _line(exception.context))
        for text in _texts(exception.fields):
            yield from _of_text(text, inside, _line(exception.context))


def _of_words(word: str, about: str, where: str) -> Iterator[Need]:
    operator = BY_OPERATOR.get(word)
    if operator and operator.since:
        yield Need(operator.since, f"the operator `{word}` {about}", where)
    elif word in MODIFIERS:
        yield Need(MODIFIERS_SINCE, f"the modifier `{word}` {about}", where)


def _of_text(text: str, about: str, where: str) -> Iterator[Need]:
    try:
        operand, _ = parse_operand(text)
    except ConditionError:
        return
    yield from _of_operands((operand,), about, where)


def _of_condition(text: str, about: str, where: str) -> Iterator[Need]:
    try:
        condition = parse(text)
    except ConditionError:  # in a macro that no rule uses, which Falco does not parse either
        return
    for check in find(Check, condition):
        yield from _of_words(check.operator, about, where)
        yield from _of_words(check.modifier or "", about, where)
        yield from _of_operands((check.left, check.right), about, where)


def _of_operands(operands: Iterable[Operand | None], about: str, where: str) -> Iterator[Need]:
    for node in find_operands(Transform, *operands):
        yield Need(BY_TRANSFORMER[node.name].since, f"the transformer `{node.name}()` {about}", where)


def _texts(entry: ExceptionEntry) -> Iterator[str]:
    if entry.is_list:
        for each in entry.entries:
            yield from _texts(each)
    else:
        yield entry.text


# stated requirements


def _steps(files: Iterable[RulesFile], kind: type[EngineVersion | PluginVersion]) -> Iterator[EngineVersion | PluginVersion]:
    return (step for file in files for steps in file.items for step in steps if isinstance(step, kind))


def _stated_engine(files: Iterable[RulesFile], result: Requirements, most: Need) -> None:
    stated = [step for step in _steps(files, EngineVersion) if isinstance(step, EngineVersion)]
    highest = max(stated, key=lambda step: step.version, default=None)
    if highest is None:
        result.understated.append(f"no `required_engine_version` in the rules: add `- required_engine_version: {_version_text(most)}`")
    elif highest.version >= most.engine.version:
        result.engine = highest.text
        result.origins["engine"] = f"stated{_at(_line(highest.context))}"
    else:
        result.understated.append(
            f"{_line(highest.context)}: `required_engine_version` is {highest.text}, but {most.what}{_at(most.where)} needs {most.version} "
            f"(Falco {most.engine.falco}): an older Falco fails with a different message"
        )


def _version_text(need: Need) -> str:
    """Return the version as every Falco with that engine can read it: a single number before 0.37."""
    return need.version if need.engine.version >= _0_37.version else str(need.engine.version[1])


def _plugins(files: Iterable[RulesFile], result: Requirements, plugin: str, version: str) -> None:
    entries: dict[str, tuple[Dependency, str]] = {}
    for step in _steps(files, PluginVersion):
        assert isinstance(step, PluginVersion)
        (name, wanted), *others = step.alternatives
        earlier = entries.get(name)
        if earlier is None or _order(wanted) > _order(earlier[0].version):
            entries[name] = Dependency(name, wanted, tuple(others)), f"stated{_at(_line(step.context))}"
    own = next((name for name, (entry, _) in entries.items() if plugin in {name, *(other for other, _ in entry.alternatives)}), None)
    if own is None:
        entries[plugin] = Dependency(plugin, version), "the plugin whose fields the rules use"
        result.understated.append(
            f"no `required_plugin_versions` in the rules: add `- required_plugin_versions: [{{name: {plugin}, version: {version}}}]`"
        )
    else:
        entry, _ = entries[own]
        if own == plugin and _order(entry.version) < _order(version):
            entries[own] = Dependency(own, version, entry.alternatives), "the version of the plugin that is packaged with the rules"
        elif own == plugin and _order(entry.version) > _order(version):
            result.understated.append(f"the rules require {own} {entry.version}, and this is {version}: Falco refuses them together")
    for name in sorted(entries):
        dependency, origin = entries[name]
        result.dependencies.append(dependency)
        result.origins[name] = origin


def _order(version: str) -> tuple[int, int, int]:
    return parse_version(version) or (0, 0, 0)


def _line(context: Context) -> str:
    place = context[-1].place()
    return f"{place.file}:{place.line}"


def _at(where: str) -> str:
    return f" ({where})" if where else ""
