"""falco.yaml: files, overrides and options in, one `Settings` for a run out.

`tree` reads YAML, `files` puts included files together, `keys` sets single keys, `decode` makes the typed `Falco` (falco.py) of
it all, `plugins` finds the plugin that runs, `settings` is the way in. Nothing here opens an event source or prints.
"""
