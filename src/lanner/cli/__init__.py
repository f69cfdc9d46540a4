"""The command `lanner`: arguments and terminal output. `packaging/lanner` calls `lanner.cli.main`. Private."""
