"""Reports about rules for commands: validation, descriptions, explanations. Private."""
