"""The command `lanner`: arguments and terminal output. `lanner.cli.main` is its entry point. Private."""
