"""From the items of all files to the rules: collect, apply lists and macros, select. Private."""
