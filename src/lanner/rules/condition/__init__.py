"""Conditions as syntax trees: the lexer, the parser, and the conversion back to text. Private."""
