"""The one place that holds Lanner's version; pyproject.toml reads it from here."""

__version__ = "0.1.0"
