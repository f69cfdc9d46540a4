"""Rules files: documents, items, overrides, exceptions, required versions. Private."""
