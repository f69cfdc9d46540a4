"""Test files of rules: YAML to typed tests, or an error with file, line and expected content."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, field

from lanner.rules import Priority
from lanner.rules.files.load import OWN_RULES
from lanner.sdk.errors import LannerError
from lanner.sdk.files import read_whole
from lanner.yamlfile import placed_values
from lanner.yamlfile.reader import YamlError

if TYPE_CHECKING:
    from lanner.rules import Rule


class TestFileError(LannerError, ValueError):
    """A test file is invalid."""

    __test__ = False


class ExpectedAlert(msgspec.Struct, forbid_unknown_fields=True):
    """An expected alert, `times` in a row. Members left out match anything. `fields` are some of the alert's fields."""

    rule: str
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    output: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    priority: str | None = None


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One test: events, and exactly the alerts they raise, in order."""

    name: str
    alerts: list[ExpectedAlert | str]
    events: Annotated[list[dict[str, Any] | str], Meta(min_length=1)] | None = None
    recording: str | None = None
    enable: list[str] = field(default_factory=list)
    all_matches: bool = False

    def entries(self) -> list[ExpectedAlert]:
        """The alerts as written in the file, including those given only by name."""
        return [ExpectedAlert(each) if isinstance(each, str) else each for each in self.alerts]

    def expected(self) -> list[ExpectedAlert]:
        """The expected alerts one by one."""
        return [each for each in self.entries() for _ in range(each.times)]


class Content(msgspec.Struct, forbid_unknown_fields=True):
    """Content of a test file. `definitions` holds YAML anchors and is otherwise ignored."""

    tests: list[Case]
    plugin: str = "docker"
    rules: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    definitions: Any = None


_STRUCTS: Final[dict[str, type[msgspec.Struct]]] = {"": Content, ".tests": Case, ".tests.alerts": ExpectedAlert}
_MOST_BYTES: Final = 64 << 20
_WORDS: Final = {
    "object": "a mapping", "array": "a list", "str": "a string", "int": "a number", "float": "a number", "bool": "true or false",
    "null": "nothing",
}  # fmt: skip
_PATH: Final = re.compile(r"^(.*?)(?: - at (?:`key` in )?`\$(.*)`)?$", re.DOTALL)


class TestFile:
    """A test file as read. Raises `TestFileError`."""

    __test__ = False  # not a test class for pytest

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        try:
            content, self._node = placed_values.load(read_whole(self.path, _MOST_BYTES).decode("utf-8"), path)
        except OSError as error:
            raise TestFileError(f"cannot read the test file {path}: {error.strerror or error}") from None
        except YamlError as error:
            raise TestFileError(f"{path}:{error.spot.place().line}: invalid YAML: {error.reason}") from None
        except UnicodeDecodeError as error:
            raise TestFileError(f"{path} is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}") from None
        if isinstance(content, list):
            raise TestFileError(f"{path}: this is a list, perhaps a rules file; a test file is a mapping with the key `tests`")
        try:
            self.content = msgspec.convert(content, Content)
        except msgspec.ValidationError as error:
            raise self._invalid(str(error)) from None
        if not self.content.tests:
            raise self.error("no tests: `tests` is empty", "tests")
        for number, case in enumerate(self.content.tests):
            self._check(number, case)

    def error(self, message: str, *path: str | int) -> TestFileError:
        """Return an error about the value at a path in the file."""
        return TestFileError(f"{self.path}:{placed_values.line_of(self._node, list(path))}: {message}")

    def beside(self, name: str) -> str:
        """Return a path relative to the file."""
        return str(self.path.parent / name)

    def rules(self) -> list[str]:
        """The paths of the rules files; the word for the plugin's own rules stays as it is."""
        return [name if name == OWN_RULES else self.beside(name) for name in self.content.rules]

    def recording(self, case: Case) -> str | None:
        """Return the path of a test's recording, or None; `example` is the plugin's own."""
        return case.recording if case.recording is None or case.recording == "example" else self.beside(case.recording)

    def plugin(self) -> str:
        """Return the plugin's name; a path is relative to the file."""
        name = self.content.plugin
        return self.beside(name) if name.partition(":")[0].endswith(".py") or "/" in name else name

    def check_rules(self, rules: tuple[Rule, ...]) -> None:
        """Refuse tests of unknown rules. Raises `TestFileError`."""
        names = [rule.name for rule in rules]
        for number, case in enumerate(self.content.tests):
            for key, named in (("alerts", [each.rule for each in case.entries()]), ("enable", case.enable)):
                for place, name in enumerate(named):
                    if name not in names:
                        raise self.error(f"unknown rule {name!r}{_advice(name, names)}", "tests", number, key, place)

    def _check(self, number: int, case: Case) -> None:
        if (case.events is None) == (case.recording is None):
            have = "needs" if case.events is None else "may have only one of"
            raise self.error(f"the test {case.name!r} {have} `events` or `recording`", "tests", number)
        for place, expected in enumerate(case.entries()):
            if expected.priority is not None and Priority.parse(expected.priority) is None:
                allowed = ", ".join(map(str, Priority))
                message = f"unknown priority {expected.priority!r}; allowed are: {allowed}"
                raise self.error(message, "tests", number, "alerts", place, "priority")

    def _invalid(self, message: str) -> TestFileError:
        found = _PATH.match(message)
        text, place = (found[1], found[2] or "") if found else (message, "")
        steps = [int(index) if index else name for name, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", place)]
        allowed = [each.name for each in msgspec.structs.fields(_STRUCTS.get(re.sub(r"\[\d+\]", "", place), ExpectedAlert))]
        key = ""
        if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", text):
            key = unknown[1]
            text = f"unknown key `{key}`{_advice(key, allowed)}; allowed are: {', '.join(allowed)}"
        elif missing := re.fullmatch(r"Object missing required field `(.*)`", text):
            text = f"missing key `{missing[1]}`; allowed are: {', '.join(allowed)}"
        elif wrong := re.fullmatch(r"Expected `(.*?)`(.*?)(?:, got `(.*)`)?", text):
            wanted = " or ".join(_WORDS.get(each, each) for each in wrong[1].split(" | ") if each != "null")
            subject = f"`{steps[-1]}`: " if steps and isinstance(steps[-1], str) else ""
            text = f"{subject}{wanted}{wrong[2]} is expected here" + (f", not {_WORDS.get(wrong[3], wrong[3])}" if wrong[3] else "")
        return TestFileError(f"{self.path}:{placed_values.line_of(self._node, steps, key)}: {text}")


def _advice(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean {near[0]!r}?" if near else ""
