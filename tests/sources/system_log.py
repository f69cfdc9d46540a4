"""A stand-in for Okta's System Log API: GET /api/v1/logs with `since`, `limit` and `after`, and a next page that always exists."""

import json


class SystemLog:
    """The answers of the API, for `api_server.serving`. `events` may grow; `limited` requests are answered 429 first."""

    def __init__(self, events, token="token", limited=0):
        self.events, self.token, self.limited = list(events), token, limited

    def __call__(self, request):
        if request.headers["Authorization"] != f"SSWS {self.token}":
            return 401, {}, b'{"errorCode": "E0000011"}'
        if not request.target.startswith("/api/v1/logs?"):
            return 404, {}, b"{}"
        if self.limited:
            self.limited -= 1
            return 429, {"X-Rate-Limit-Limit": "1", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "1"}, b'{"errorCode": "E0000047"}'
        query = request.query
        limit, since = min(int(query.get("limit", 100)), 3), query.get("since", "")
        found = [event for event in self.events if event["published"] >= since]
        after = int(query.get("after", "t0")[1:])
        page = found[after : after + limit]
        base = f"http://{request.headers['Host']}{request.target.partition('?')[0]}"
        kept = f"since={since}&limit={limit}"
        links = f'<{base}?{kept}&after=t{after}>; rel="self", <{base}?{kept}&after=t{after + len(page)}>; rel="next"'
        return 200, {"Link": links, "X-Rate-Limit-Remaining": "59"}, json.dumps(page).encode()
