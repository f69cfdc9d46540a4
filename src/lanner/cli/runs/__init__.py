"""The command `lanner run`: its options, its settings, the run itself and the services around it. Private."""
