"""A package beside a plugin."""
