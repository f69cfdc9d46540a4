# RE2 for the patterns of lines. Only plugins with a pattern import it.
engine: object
"""A capsule with the functions for the other native modules."""

def group_names(expression: bytes, /) -> list[str]: ...
