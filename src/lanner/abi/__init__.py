"""Falco's plugin ABI as Python knows it: its versions, their symbols, the texts of get_fields.

The facts are those of falcosecurity/libs (userspace/plugin/plugin_api.h, plugin_types.h, and the same files at older tags).
"""
