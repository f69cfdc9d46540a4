"""Lanner's own host: finds a plugin, opens its source or a recording, pumps events through the rules, hands out alerts.

`load` finds plugin classes, `run` pumps, `replay` and `record` read and write recordings, `stop` ends a run from outside,
`generic` knows the fields that every event has. Which options a user has, and how things look on a terminal, is the matter of
`lanner.cli`.
"""
