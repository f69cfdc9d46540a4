"""What the commands print about rules: validation, descriptions, explanations. Private."""
