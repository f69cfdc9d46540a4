"""YAML files: text with positions, and nodes parsed by yaml-cpp, the library that Falco uses. Private."""
