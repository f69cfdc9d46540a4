"""Observability of a run: metrics, web server, logs, systemd notifications, progress bar. Private.

This room evaluates no events. The host fills a `Snapshot` (lanner.operating.snapshot) on request, and everything here reads it.
"""
