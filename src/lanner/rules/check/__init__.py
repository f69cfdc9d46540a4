"""Checks of conditions against the fields, and Falco's warnings about deprecated forms. Private."""
