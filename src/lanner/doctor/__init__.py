"""What is wrong with a set-up, each with the fix: checks of the engine, of Python, of Falco, of rules, configuration and outputs.

`lanner.doctor.check` runs them, so that none can hang or take the others with it; `lanner.doctor.all` names them.
"""
