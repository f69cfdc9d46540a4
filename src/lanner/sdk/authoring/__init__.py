"""The vocabulary of a plugin's author: the class, its fields, events, positions and checks. Private."""
