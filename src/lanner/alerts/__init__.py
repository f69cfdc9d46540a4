"""The alert store: alerts of runs on disk, one SQLite file for each day, and the search in them. Private to Lanner."""
