"""An alert's text and JSON, from the rule's output and an event's values. Private."""
