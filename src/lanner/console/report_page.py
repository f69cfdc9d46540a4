"""The console's page as one HTML file: style, modules and data inside, with a policy that allows these and nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from lanner.console.page_files import read_document, read_script, read_style

_STYLE_LINK: Final = '<link rel="stylesheet" href="/static/console.css">\n'
_SCRIPT_LINK: Final = '<script type="module" src="/static/console.js"></script>\n'
_CHARSET: Final = '<meta charset="utf-8">\n'
_POLICY: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
DATA_BEGIN: Final = '<script type="application/octet-stream" id="data">'
DATA_END: Final = "</script>"
PAGE_END: Final = "</html>"


def make_page(data: bytes) -> str:
    """Return the page with this data, which the page unpacks."""
    style, script = read_style(), read_script("report.js")
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>\n'
    page = read_document().replace(_STYLE_LINK, "").replace(_SCRIPT_LINK, "").replace(_CHARSET, f"{_CHARSET}{head}")
    parts = (DATA_BEGIN, base64.b64encode(data).decode(), DATA_END, "\n<script>", script, "</script>\n</body>")
    return page.replace("</body>", "".join(parts))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
