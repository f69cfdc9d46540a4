"""Declarations of sinks, a module each, and the registry that configuration, reload, doctor and docs read. Private to Lanner."""
