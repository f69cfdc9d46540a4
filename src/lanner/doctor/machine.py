"""Checks of the machine: clock, limits, this Python, the native module, and the installed Falco and sysdig."""

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

    from lanner.sdk.authoring.checks import Finding


_ANSWER: Final = 8.0
"""Timeout of `--version`, in seconds."""
_UNSYNCHRONISED: Final = 5
"""TIME_ERROR of adjtimex(2)."""
_TIMEX_SIZE: Final = 512
_FILES: Final = 1024
_REINSTALL: Final = (
    "Install the library that the error names, if any, or reinstall Lanner with this Python: "
    f"{sys.executable} -m pip install --force-reinstall /path/to/lanner (its checkout or wheel)"
)


def look_at_clock() -> Iterator[Finding]:
    """Check whether this machine's clock is synchronised."""
    buffer = ctypes.create_string_buffer(_TIMEX_SIZE)  # struct timex; `modes` = 0 reads without a change
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if state == _UNSYNCHRONISED:
        yield warning(
            "the kernel reports that this machine's clock is not synchronised",
            "timedatectl set-ntp true, or install chrony; in some virtual machines the host sets the clock without telling the kernel",
        )
    elif state >= 0:
        yield ok("this machine's clock is synchronised")


def look_at_limits() -> Iterator[Finding]:
    """Check the limit of file descriptors; engines, outputs and clients of the web server each need some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        most = "unlimited" if hard == resource.RLIM_INFINITY else hard
        yield warning(
            f"{soft} open files at most (hard limit {most})", f"ulimit -n {_FILES}, or LimitNOFILE={_FILES} in the service's unit"
        )
    else:
        yield ok("open files at most: " + ("unlimited" if soft == resource.RLIM_INFINITY else str(soft)))


def look_at_python() -> Iterator[Finding]:
    """Check whether a plugin's .so can be bound to this Python; only `lanner build` needs that."""
    from lanner.bundle.environment import BuildError, describe

    try:
        found = describe()
    except BuildError as error:
        text, _, fix = str(error).partition(": ")
        yield warning(text, f"Only for `lanner build`: {fix}")
        return
    yield ok(f"Python {found.python} has {found.libpython}, so `lanner build` can bind plugins to it")


def look_at_native_module() -> Iterator[Finding]:
    """Check whether the native module loads and works."""
    try:
        from lanner.native import Framer, fnmatch
    except (ImportError, OSError) as error:
        yield problem(f"the native module does not load: {error}", _REINSTALL)
        return
    if list(Framer(16).feed(b"one\ntwo\n")) == [b"one", b"two"] and fnmatch(b"on*", b"one", False):
        yield ok("the native module works")
    else:
        yield problem("the native module gives wrong answers", _REINSTALL)


def look_at_falco() -> Iterator[Finding]:
    """Check the plugin API of an installed Falco. Lanner itself needs none."""
    path = shutil.which("falco")
    if path is None:
        yield ok("Falco is not installed; `lanner run` does not need it")
        return
    text, failure = _ask(path)
    if failure is not None:
        yield failure
        return
    version, api = _word(text, r"Falco version:? *(\S+)"), _word(text, r"Plugin API:? *(\d+\.\d+\.\d+)")
    if not version:
        yield warning(f"{path} --version prints no version of Falco: {text[:80]!r}", "Check which program `falco` on PATH is")
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
    yield ok(f"{shown}: `lanner build docker{'' if wanted == '3' else f' --api {wanted}'}` builds plugins for it")


def look_at_sysdig() -> Iterator[Finding]:
    """Check the plugin API of an installed sysdig."""
    path = shutil.which("sysdig")
    if path is None:
        return
    text, failure = _ask(path)
    if failure is not None:
        yield failure
        return
    version = _word(text, r"version (\d\S*)")
    if version.startswith("0.29."):
        yield ok(f"sysdig {version} ({path}): `lanner build docker --api 0.3` builds plugins for it")
    else:
        yield ok(f"sysdig {version} ({path}) does not report its plugin API: use `lanner build docker`, or with --api 2")


def _ask(path: str) -> tuple[str, Finding | None]:
    """Return the output of `--version`, or a finding if it failed."""
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
        return "", warning(f"{path} cannot be run: {error.strerror}", "Reinstall it, or remove it from PATH")
    except subprocess.TimeoutExpired:
        return "", warning(f"{path} --version printed nothing in {_ANSWER:g} s", "Run it by hand to see why it hangs")
    text = done.stdout[:4096].decode("utf-8", "replace")
    if done.returncode:
        last = (text.strip().splitlines() or ["no output"])[-1]
        return "", warning(f"{path} --version fails ({done.returncode}): {last}", "Reinstall it, or remove it from PATH")
    return text, None


def _word(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _api_for(offered: str) -> str | None:
    """Return the newest of Lanner's API versions that this version of the plugin API supports."""
    numbers = _numbers(offered)
    for name in ("3", "2", "1", "0.3"):
        ours = _numbers(APIS[name].version)
        if ours[0] == numbers[0] and ours <= numbers:
            return name
    return None


def _api_of_falco(version: str) -> str | None:
    """Return the API version by Falco's version, for a Falco that does not report its plugin API."""
    numbers = _numbers(version)[:2]
    for least, name in (((0, 35), "3"), ((0, 33), "2"), ((0, 32), "1"), ((0, 31), "0.3")):
        if numbers >= least:
            return name
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,6}", version)[:3])
