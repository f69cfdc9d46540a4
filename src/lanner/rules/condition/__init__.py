"""Conditions as syntax trees: the lexer, the parser, and their text again. Private."""
