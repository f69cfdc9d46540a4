"""The console's page as one HTML file: style, modules and data inside, with a policy that allows these and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

_STATIC: Final = Path(__file__).parent / "static"
_ENTRY: Final = "console.js"
_IMPORT: Final = re.compile(r'^import \{ (.*) \} from "\./(.*)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?(?:function|class|const)) ([\w$]+)", re.MULTILINE)
_STYLE_LINK: Final = '<link rel="stylesheet" href="/static/console.css">\n'
_SCRIPT_LINK: Final = '<script type="module" src="/static/console.js"></script>\n'
_POLICY: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
DATA_BEGIN: Final = '<script type="application/octet-stream" id="data">'
DATA_END: Final = "</script>"


def make_page(data: bytes) -> str:
    """Return the page with this data, which the page unpacks."""
    style, script = (_STATIC / "console.css").read_text("utf-8"), _bundle()
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    page = (_STATIC / "index.html").read_text("utf-8")
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>\n'
    page = page.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{head}').replace(_STYLE_LINK, "").replace(_SCRIPT_LINK, "")
    parts = (DATA_BEGIN, base64.b64encode(data).decode(), DATA_END, "\n<script>", script, "</script>\n</body>")
    return page.replace("</body>", "".join(parts))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _bundle() -> str:
    """Return the page's modules as one script: each is a function that returns its exports, after those that it imports."""
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

    add(_ENTRY)
    return '"use strict";\nconst modules = {};\n' + "".join(made.values())
