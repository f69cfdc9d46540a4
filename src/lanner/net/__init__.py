"""Connections with deadlines, for engines and outputs alike: `dial` connects, `tls` reads certificates. Private to Lanner."""
