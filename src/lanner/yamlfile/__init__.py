"""YAML files: their text and its places, and their nodes as yaml-cpp reads them, the library that Falco reads with."""
