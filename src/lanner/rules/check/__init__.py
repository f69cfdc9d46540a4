"""Checks of conditions against the fields, and Falco's warnings about old forms. Private."""
