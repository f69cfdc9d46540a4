"""Lanner's own host: load a plugin, open its source or a recording, run events through the rules, deliver alerts. Private.

`load` finds plugin classes, `pump` and `runner` process events, `recording` reads recordings, `stop` ends a run,
`generic` has the fields that every event has. Options and terminal output belong to
`lanner.cli`.
"""
