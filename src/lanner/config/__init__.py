"""falco.yaml: read files, overrides and options into the configuration of a run. Private.

`tree` reads YAML, `files` puts included files together, `keys` sets single keys, `decode` makes the typed `Falco` (falco.py) of
it all, `plugins` selects the plugin, and `read` is the entry point. Nothing here opens an event source or prints.
"""
