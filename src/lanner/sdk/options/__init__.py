"""Options: configuration classes of plugins, their schema and messages, secrets, and annotations for falco.yaml's blocks. Private."""
