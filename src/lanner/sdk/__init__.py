"""The SDK: the interface for plugin authors (imported through `lanner`), and what every host does with a plugin class. Private."""
