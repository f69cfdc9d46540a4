"""A module beside a plugin, which imports one lazily."""


def to_payload(item: str) -> bytes:
    import neighbours.deep

    return neighbours.deep.encode(item)
