"""Private: `lanner new`, which creates the repository of a plugin from templates."""
