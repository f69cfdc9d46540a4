"""Clients under deadlines, for engines and outputs alike. Private to Lanner.

`dial` connects, `link` and `tls_link` move bytes, `tls` reads certificates, and `http` writes requests and reads responses.
"""
