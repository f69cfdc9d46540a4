"""Lanner's benchmarks: `python -m benchmarks` (or `make bench`) runs all of them; README.md here describes the measurements."""
