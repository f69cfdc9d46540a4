"""The plan of a set of rules, and its executors. Private."""
