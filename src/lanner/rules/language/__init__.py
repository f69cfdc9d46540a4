"""The vocabulary of the rules language: operators, transformers, constants, fields. Private."""
