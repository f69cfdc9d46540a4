"""Sphinx: `make docs`."""

project = "Lanner"
author = "The Lanner authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing", "ref.python"]  # ref.python: two public classes are called Finding
default_role = "code"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True


def show_examples(_app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Mark the indented examples of docstrings as code."""
    for index in range(len(lines) - 1, 0, -1):
        is_example = lines[index].startswith("    ") and not lines[index - 1].strip()
        before = next((line for line in reversed(lines[:index]) if line.strip()), "")
        if is_example and before and not before.startswith((" ", "-")):
            lines[index:index] = ["::", ""]


def setup(app: object) -> None:
    """Register `show_examples`."""
    app.connect("autodoc-process-docstring", show_examples)  # type: ignore[attr-defined]
