"""What the author of a plugin writes: the class, its fields, events, positions and checks. Private."""
