"""Alerts from nginx's access log, which is text: one pattern, and fields as data.

lanner run examples/nginx.py --replay example
lanner run examples/nginx.py --open /var/log/nginx/access.log
"""

import lanner
from lanner import field, sources

# the format `combined`; nginx writes \x22 for a quote in a value
line = lanner.pattern(
    r"(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]*)\] "
    r'"(?P<request>[^"]*)" (?P<status>[0-9]*) (?P<size>[0-9]*) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)".*'
)
target = line["request"].after(" ").before(" ")


class Nginx(lanner.Plugin):
    """Requests in nginx's access log."""

    id, name, version, event_source = 4247, "nginx", "0.1.0", "nginx"
    contact = "github.com/you/nginx"
    timestamp = line["time"].time("clf")
    example = "nginx_example.log"
    rules = "nginx_rules.yaml"
    fields = (
        field("nginx.client", line["client"].address(), "Address of the client"),
        field("nginx.user", line["user"].unless(line["user"], "-"), "Name of the user, after a login"),
        field("nginx.request", line["request"], "First line of the request, which need not be valid HTTP"),
        field("nginx.method", line["request"].before(" "), "Method of the request: GET"),
        field("nginx.path", target.before("?"), "Path of the request, with its escapes"),
        field("nginx.query", target.after("?"), "Query of the request, with its escapes"),
        field("nginx.status", line["status"].integer(), "Status of the response: 200"),
        field("nginx.size", line["size"].integer(), "Bytes in the body of the response"),
        field("nginx.referer", line["referer"].unless(line["referer"], "-"), "Page with the link"),
        field("nginx.agent", line["agent"].unless(line["agent"], "-"), "Program of the client"),
    )

    def open(self, params: str, position: str | None) -> sources.Tail:
        return sources.tail(params or "/var/log/nginx/access.log", position=position)
