"""Questions about a stored alert: why it fired, an exception for it, a test of its rule. Private to Lanner.

`Inquiry` asks a separate process, because the answers run the plugin's code, which may crash, hang or exhaust the memory.
"""
