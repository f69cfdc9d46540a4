"""What a run looks like from outside: metrics, the web server, logs, word to systemd, a progress bar.

Nothing here runs events. The host fills a `Snapshot` (lanner.operating.snapshot) when it is asked to, and all of this room reads that.
"""
