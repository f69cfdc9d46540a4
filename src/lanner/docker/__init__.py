"""The Docker plugin: the events of a Docker engine as a Falco event source, with fields for rules. Private, except `Docker`.

It uses only the public API of `lanner`, as any plugin would. It reads from the engine (GET /version, /_ping, /events, and with the
option `inspect` /containers/ID/json) and never writes to it.
"""

from lanner.docker.docker_plugin import Docker

__all__ = ["Docker"]
