"""The steps of every host with a plugin class: create an instance, open its source, read its fields, keep its position. Private."""
