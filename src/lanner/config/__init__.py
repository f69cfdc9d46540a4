"""falco.yaml: read files, overrides and options into the configuration of a run. Private.

`tree` reads YAML, `files` merges included files, `keys` sets single keys, `decode` builds the typed `Falco` (falco.py),
`plugins` selects the plugin, and `read` is the entry point. This package does not open event sources or print.
"""
