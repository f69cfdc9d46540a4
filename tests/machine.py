"""Queries of tests about the machine: a container has less than a whole machine."""

import socket


def has_ipv6():
    """Whether a server can listen on ::1: the kernel may know IPv6, and the container have no address."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
