"""From rules to a plan, and its executors. Private."""
