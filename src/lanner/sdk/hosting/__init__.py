"""What every host does with a plugin class: create it, open its source, read its fields, keep its position. Private."""
