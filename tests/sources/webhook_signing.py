"""An open webhook, and signed requests for it."""

import hashlib
import hmac
import os
from contextlib import closing

from lanner import sources

SECRET = "It's a Secret to Everybody"


def signed(body, secret=SECRET):
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(os.fsencode(secret), body, hashlib.sha256).hexdigest()}


def opened(**options):
    return closing(sources.webhook("127.0.0.1:0", **{"secret": SECRET, **options}))
