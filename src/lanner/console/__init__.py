"""`lanner console`: the alerts of a store in a browser. Private.

It is a separate process, so that the end of a run does not end the page.
"""
