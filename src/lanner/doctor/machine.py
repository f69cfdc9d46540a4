"""The machine: its clock, its limits, this Python and the native module, and the Falco and sysdig that are installed."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from lanner.abi.versions import APIS
from lanner.doctor.results import ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.checks import Finding


_ANSWER: Final = 8.0
"""Seconds that a program has for its version."""
_UNSYNCHRONISED: Final = 5
"""TIME_ERROR of adjtimex(2)."""
_TIMEX_SIZE: Final = 512
_FILES: Final = 1024
_ANEW: Final = (
    "Install the library that it names, if any, or Lanner anew with this Python: "
    f"{sys.executable} -m pip install --force-reinstall /path/to/lanner (its checkout or wheel)"
)


def look_at_clock() -> Iterator[Finding]:
    """Whether somebody sets this machine's clock."""
    buffer = ctypes.create_string_buffer(_TIMEX_SIZE)  # struct timex, of which `modes` = 0 asks and changes nothing
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if state == _UNSYNCHRONISED:
        yield warning(
            "the kernel says that nobody keeps this machine's clock right",
            "timedatectl set-ntp true, or install chrony; in some virtual machines the host does it and the kernel does not know",
        )
    elif state >= 0:
        yield ok("this machine's clock is kept right")


def look_at_limits() -> Iterator[Finding]:
    """Descriptors, which every engine, output and client of the web server takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        most = "unlimited" if hard == resource.RLIM_INFINITY else hard
        yield warning(
            f"{soft} open files at most (hard limit {most})", f"ulimit -n {_FILES}, or LimitNOFILE={_FILES} in the service's unit"
        )
    else:
        yield ok("open files at most: " + ("unlimited" if soft == resource.RLIM_INFINITY else str(soft)))


def look_at_python() -> Iterator[Finding]:
    """Whether a plugin's .so can be bound to this Python; nothing else needs that."""
    from lanner.bundle.environment import BuildError, describe

    try:
        found = describe()
    except BuildError as error:
        text, _, fix = str(error).partition(": ")
        yield warning(text, f"For `lanner build` alone: {fix}")
        return
    yield ok(f"Python {found.python} has {found.libpython}, so `lanner build` can bind plugins to it")


def look_at_native_module() -> Iterator[Finding]:
    """Whether the compiled part loads and works."""
    try:
        from lanner.native import Framer, fnmatch
    except (ImportError, OSError) as error:
        yield problem(f"the native module does not load: {error}", _ANEW)
        return
    if list(Framer(16).feed(b"one\ntwo\n")) == [b"one", b"two"] and fnmatch(b"on*", b"one", False):
        yield ok("the native module works")
    else:
        yield problem("the native module gives wrong answers", _ANEW)


def look_at_falco() -> Iterator[Finding]:
    """A Falco on this machine, and what plugins it takes. Lanner itself needs none."""
    path = shutil.which("falco")
    if path is None:
        yield ok("Falco is not installed, and `lanner run` needs none")
        return
    text, failure = _ask(path)
    if failure is not None:
        yield failure
        return
    version, api = _word(text, r"Falco version:? *(\S+)"), _word(text, r"Plugin API:? *(\d+\.\d+\.\d+)")
    if not version:
        yield warning(f"{path} --version says no version of Falco: {text[:80]!r}", "Is that Falco? See what `falco` is on PATH")
        return
    if api:
        wanted = _api_for(api)
        shown = f"Falco {version} ({path}) has plugin API {api}"
    else:
        wanted = _api_of_falco(version)
        shown = f"Falco {version} ({path})"
    if wanted is None:
        yield problem(f"{shown}, for which Lanner builds no plugins", "Update Falco to 0.32 or later, or update Lanner if that is newer")
        return
    yield ok(f"{shown}: `lanner build docker{'' if wanted == '3' else f' --api {wanted}'}` makes what it loads")


def look_at_sysdig() -> Iterator[Finding]:
    """A sysdig on this machine."""
    path = shutil.which("sysdig")
    if path is None:
        return
    text, failure = _ask(path)
    if failure is not None:
        yield failure
        return
    version = _word(text, r"version (\d\S*)")
    if version.startswith("0.29."):
        yield ok(f"sysdig {version} ({path}): `lanner build docker --api 0.3` makes what it loads")
    else:
        yield ok(f"sysdig {version} ({path}) does not tell its plugin API: it loads what `lanner build docker` makes, or with --api 2")


def _ask(path: str) -> tuple[str, Finding | None]:
    """What a program says of its version; or what is wrong."""
    try:
        done = subprocess.run(  # noqa: S603 - the one that a shell would find
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ANSWER,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        return "", warning(f"{path} cannot be run: {error.strerror}", "Install it anew, or take it off PATH")
    except subprocess.TimeoutExpired:
        return "", warning(f"{path} --version says nothing in {_ANSWER:g} s", "See what it waits for")
    text = done.stdout[:4096].decode("utf-8", "replace")
    if done.returncode:
        last = (text.strip().splitlines() or ["it says nothing"])[-1]
        return "", warning(f"{path} --version fails ({done.returncode}): {last}", "Install it anew, or take it off PATH")
    return text, None


def _word(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _api_for(offered: str) -> str | None:
    """The newest API of ours that this version of it has."""
    numbers = _numbers(offered)
    for name in ("3", "2", "1", "0.3"):
        ours = _numbers(APIS[name].version)
        if ours[0] == numbers[0] and ours <= numbers:
            return name
    return None


def _api_of_falco(version: str) -> str | None:
    """By Falco's own version, where it does not tell the API's."""
    numbers = _numbers(version)[:2]
    for least, name in (((0, 35), "3"), ((0, 33), "2"), ((0, 32), "1"), ((0, 31), "0.3")):
        if numbers >= least:
            return name
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,6}", version)[:3])
