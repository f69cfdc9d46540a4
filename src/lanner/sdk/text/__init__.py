"""Text: bytes and characters, escapes for a terminal, tables, points in time, suggestions for misspelt names. Private."""
