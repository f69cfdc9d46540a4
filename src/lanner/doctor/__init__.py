"""`lanner doctor`: checks of the plugin, Python, Falco, rules, configuration and outputs, each problem with its fix. Private.

`lanner.doctor.results` runs the checks, each within a time limit. `lanner.doctor.all` names them.
"""
