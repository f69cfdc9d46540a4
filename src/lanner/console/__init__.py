"""`lanner console`: the alerts of a store in a browser. Private to Lanner.

It is a separate process, so that the end of a run does not end the page.
"""
