"""Values in a payload: declarations as trees, their words, and the reference evaluator of both. Private."""
