"""Okta's System Log: who signs in, fails to, gets roles and changes policies. The log is polled page by page.

LANNER_OKTA_TOKEN=... lanner run examples/okta.py --config '{"url": "https://example.okta.com", "token": "${LANNER_OKTA_TOKEN}"}'

A restart continues after the last event whose alerts were delivered. The first start begins with the events of now, or of `since`.
"""

import time
from typing import Annotated, Any

import lanner
from lanner import EACH, INDEX, Meta, field, payload, sources


class OktaConfig(lanner.Config):
    """Options of `init_config`."""

    url: Annotated[str, Meta(min_length=1, description="Address of the organisation: https://example.okta.com")]
    token: Annotated[lanner.Secret, Meta(description="API token with the right to read the log")]
    since: Annotated[str, Meta(description="Time of the first event at the first start, RFC 3339; empty: now")] = ""
    every: Annotated[float, Meta(gt=0, description="Seconds between two polls")] = 10.0


actor, client, outcome = payload["actor"], payload["client"], payload["outcome"]
target = payload["target", INDEX | EACH]


class Okta(lanner.Plugin):
    """Events of Okta's System Log."""

    id, name, version, event_source = 4245, "okta", "0.1.0", "okta"
    contact = "github.com/you/okta"
    config: OktaConfig
    timestamp = payload["published"].time("rfc3339")
    rules, example = "okta_rules.yaml", "okta_example.jsonl"
    fields = (
        field("okta.evt.type", payload["eventType"], "Kind of the event: user.session.start, user.account.privilege.grant ..."),
        field("okta.evt.legacytype", payload["legacyEventType"], "Kind of the event in the old Events API"),
        field("okta.uuid", payload["uuid"], "Identifier of the event"),
        field("okta.published", payload["published"], "Time of the event, RFC 3339"),
        field("okta.severity", payload["severity"], "DEBUG, INFO, WARN or ERROR"),
        field("okta.message", payload["displayMessage"], "The event in words"),
        field("okta.actor.id", actor["id"], "Identifier of who did it"),
        field("okta.actor.type", actor["type"], "User, SystemPrincipal, PublicClientApp ..."),
        field("okta.actor.alternateid", actor["alternateId"], "Login of the actor"),
        field("okta.actor.name", actor["displayName"], "Name of the actor"),
        field("okta.client.zone", client["zone"], "Network zone of the client"),
        field("okta.client.ip", client["ipAddress"].address(), "Address of the client"),
        field("okta.client.device", client["device"], "Computer, Mobile ..."),
        field("okta.client.os", client["userAgent", "os"], "Operating system of the client"),
        field("okta.client.browser", client["userAgent", "browser"], "Browser of the client"),
        field("okta.client.agent", client["userAgent", "rawUserAgent"], "The header User-Agent of the client"),
        field("okta.client.city", client["geographicalContext", "city"], "City of the client"),
        field("okta.client.country", client["geographicalContext", "country"], "Country of the client"),
        field("okta.result", outcome["result"], "SUCCESS, FAILURE, DENY, ALLOW ..."),
        field("okta.reason", outcome["reason"], "Reason of the result: INVALID_CREDENTIALS ..."),
        field("okta.transaction.id", payload["transaction", "id"], "Identifier of the transaction"),
        field("okta.session", payload["authenticationContext", "externalSessionId"], "Identifier of the session"),
        field("okta.provider", payload["securityContext", "isp"], "Internet provider of the client"),
        field("okta.proxy", payload["securityContext", "isProxy"].boolean(), "Whether the client is a known proxy"),
        field("okta.target.id", target["id"], "Identifiers of the objects that the event is about; okta.target.id[0]: of the first"),
        field("okta.target.type", target["type"], "Their kinds: User, UserGroup, AppInstance ..."),
        field("okta.target.alternateid", target["alternateId"], "Their logins or other names"),
        field("okta.target.name", target["displayName"], "Their names: okta.target.name[0]"),
    )

    def open(self, _params: str, position: Any) -> sources.Poll:
        config = self.config
        begin = config.since or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
        return sources.poll(
            f"{config.url.rstrip('/')}/api/v1/logs?limit=200&sortOrder=ASCENDING&since={{cursor}}",
            every=config.every,
            position=position,
            start=begin,
            follow=True,  # the last page always names the next one, where later events come
            key="uuid",
            headers={"Authorization": f"SSWS {config.token.reveal()}"},
        )
