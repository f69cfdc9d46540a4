"""Falco's plugin ABI: versions, symbols, and the text of get_fields. Private.

Source of the facts: falcosecurity/libs (userspace/plugin/plugin_api.h, plugin_types.h, and the same files at older tags).
"""
