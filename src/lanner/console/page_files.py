"""The files of the page: a document, a style, and modules that are served as one script."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.operating.http_request import Page

if TYPE_CHECKING:
    from lanner.operating.http_request import Request

_STATIC: Final = Path(__file__).parent / "static"
_IMPORT: Final = re.compile(r'^import \{ (.*) \} from "\./(.*)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?(?:function|class|const)) ([\w$]+)", re.MULTILINE)
_GZIP: Final = re.compile(r"\s*gzip\s*(?:;\s*q=(?:0?\.0*[1-9]\d*|1(?:\.0*)?)\s*)?", re.IGNORECASE)
PATHS: Final = ("/", "/static/console.css", "/static/console.js")
"""The paths of the page's files. No other file is served."""


class _File(NamedTuple):
    """A file to serve: its content, the same compressed, and its tag."""

    kind: str
    content: bytes
    packed: bytes
    tag: str


def answer_file(request: Request) -> Page:
    """Return the response to a request for one of `PATHS`: compressed if the client accepts that, and only if it does not have the file."""
    file = _file(request.path)
    headers = (("Cache-Control", "no-cache"), ("ETag", file.tag), ("Vary", "Accept-Encoding"))
    known = {tag.strip() for line in request.all_of("If-None-Match") for tag in line.split(",")}
    if file.tag in known:
        return Page(HTTPStatus.NOT_MODIFIED, file.kind, b"", headers)
    if any(_GZIP.fullmatch(coding) for line in request.all_of("Accept-Encoding") for coding in line.split(",")):
        return Page(HTTPStatus.OK, file.kind, file.packed, (*headers, ("Content-Encoding", "gzip")))
    return Page(HTTPStatus.OK, file.kind, file.content, headers)


@lru_cache
def _file(path: str) -> _File:
    kind, read = {
        "/": ("text/html", read_document),
        "/static/console.css": ("text/css", read_style),
        "/static/console.js": ("text/javascript", lambda: read_script("main.js")),
    }[path]
    content = read().encode()
    # a weak tag, because the compressed form has the same
    return _File(f"{kind}; charset=utf-8", content, gzip.compress(content, 9, mtime=0), f'W/"{hashlib.sha256(content).hexdigest()[:16]}"')


def read_document() -> str:
    """Return the document."""
    return (_STATIC / "index.html").read_text("utf-8")


def read_style() -> str:
    """Return the style."""
    return (_STATIC / "console.css").read_text("utf-8")


def read_script(entry: str) -> str:
    """Return a module and those that it imports as one script: each is a function that returns its exports, after those that it imports."""
    made: dict[str, str] = {}

    def add(name: str) -> None:
        if name in made:
            return
        source = (_STATIC / name).read_text("utf-8")
        for _, imported in _IMPORT.findall(source):
            add(imported)
        exports = ", ".join(name for _, name in _EXPORT.findall(source))
        body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(r'const { \1 } = modules["\2"];', source))
        made[name] = f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();\n'

    add(entry)
    return '"use strict";\nconst modules = {};\n' + "".join(made.values())
