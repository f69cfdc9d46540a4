"""The alert store: alerts on disk, with their events and rules, for search and explanation. Private to Lanner."""
