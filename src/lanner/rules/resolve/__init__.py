"""From the items of all files to the rules: collect them, expand lists and macros, select. Private."""
