"""How fast Lanner is: `python -m benchmarks` (or `make bench`) prints it all; README.md here says what is measured and how."""
