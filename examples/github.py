"""GitHub's webhooks: who pushes, merges, releases, invites and changes settings. All fields are members of the payload.

LANNER_GITHUB_SECRET=... lanner run examples/github.py --config '{"secret": "${LANNER_GITHUB_SECRET}"}' -r examples/github_rules.yaml

In the settings of the repository or organisation, add a webhook with the content type application/json and the same secret. GitHub
reaches the server by a reverse proxy that forwards to `address`, or with `address: 0.0.0.0:8443` and a certificate.
"""

from typing import Annotated

import lanner
from lanner import EACH, INDEX, Meta, field, payload, sources


class GitHubConfig(lanner.Config):
    """Options of `init_config`."""

    secret: Annotated[lanner.Secret, Meta(description="The webhook's secret, as in GitHub's settings")]
    address: Annotated[str, Meta(description="Address and port on which the webhook listens")] = "127.0.0.1:8080"
    path: Annotated[str, Meta(description="Path of the webhook's address")] = "/"
    certificate: Annotated[str, Meta(description="File with the TLS certificate; empty: plain HTTP")] = ""
    key: Annotated[str, Meta(description="File with its key; empty: the key is in `certificate`")] = ""


pull, issue, release, alert = payload["pull_request"], payload["issue"], payload["release"], payload["alert"]
changes, commits = payload["changes"], payload["commits", INDEX | EACH]


class GitHub(lanner.Plugin):
    """Events of GitHub's webhooks."""

    id, name, version, event_source = 4244, "github", "0.1.0", "github"
    contact = "github.com/you/github"
    config: GitHubConfig
    rules, example = "github_rules.yaml", "github_example.jsonl"
    fields = (
        field("github.type", payload["x_github_event"], "Kind of the event: push, pull_request, issues, release, member ..."),
        field("github.delivery", payload["x_github_delivery"], "Number of the delivery, as GitHub's settings show it"),
        field("github.action", payload["action"], "What was done: opened, closed, created, added, publicized ..."),
        field("github.user", payload["sender", "login"], "Login of the user who did it"),
        field("github.user.type", payload["sender", "type"], "User, Bot or Organization"),
        field("github.org", payload["organization", "login"], "Login of the organisation"),
        field("github.repo", payload["repository", "full_name"], "Name of the repository with its owner: octo/shop"),
        field("github.repo.private", payload["repository", "private"].boolean(), "Whether the repository is private"),
        field("github.repo.branch", payload["repository", "default_branch"], "Default branch of the repository"),
        field("github.ref", payload["ref"], "Branch or tag of a push: refs/heads/main"),
        field("github.branch", payload["ref"].after("refs/heads/") | pull["base", "ref"], "Branch of a push or pull request"),
        field("github.tag", payload["ref"].after("refs/tags/") | release["tag_name"], "Tag of a push or a release"),
        field("github.forced", payload["forced"].boolean(), "Whether a push replaced commits"),
        field("github.created", payload["created"].boolean(), "Whether a push created its branch or tag"),
        field("github.deleted", payload["deleted"].boolean(), "Whether a push deleted its branch or tag"),
        field("github.pusher", payload["pusher", "name"], "Name of the user who pushed"),
        field("github.head.message", payload["head_commit", "message"], "Message of the last commit"),
        field("github.commit.id", commits["id"], "Hashes of the commits; github.commit.id[0]: of the first"),
        field("github.commit.message", commits["message"], "Messages of the commits"),
        field("github.commit.author", commits["author", "username"], "Logins of the authors of the commits"),
        field("github.commit.added", payload["commits", EACH, "added", EACH], "Files that the commits added"),
        field("github.commit.modified", payload["commits", EACH, "modified", EACH], "Files that they modified"),
        field("github.commit.removed", payload["commits", EACH, "removed", EACH], "Files that they removed"),
        field("github.commit.files", payload["commits", EACH, "modified", EACH].join(" "), "Modified files as one text"),
        field("github.pr.number", pull["number"].integer(), "Number of the pull request"),
        field("github.pr.title", pull["title"], "Title of the pull request"),
        field("github.pr.author", pull["user", "login"], "Login of its author"),
        field("github.pr.head", pull["head", "repo", "full_name"], "Repository from which it comes; another one for forks"),
        field("github.pr.merged", pull["merged"].boolean(), "Whether it was merged"),
        field("github.pr.merger", pull["merged_by", "login"], "Login of the user who merged it"),
        field("github.pr.labels", pull["labels", EACH, "name"], "Its labels"),
        field("github.issue.number", issue["number"].integer(), "Number of the issue"),
        field("github.issue.title", issue["title"], "Title of the issue"),
        field("github.issue.author", issue["user", "login"], "Login of its author"),
        field("github.release.name", release["name"], "Name of the release"),
        field("github.release.prerelease", release["prerelease"].boolean(), "Whether the release is a trial"),
        field("github.release.assets", release["assets", EACH, "name"], "Files of the release"),
        field("github.member", payload["member", "login"] | payload["membership", "user", "login"], "Login of the member"),
        field(
            "github.member.permission",
            changes["role_name", "to"] | changes["permission", "to"] | payload["membership", "role"],
            "The member's role after the change: admin, maintain, write ...",
        ),
        field("github.team", payload["team", "name"], "Name of the team"),
        field("github.key.title", payload["key", "title"], "Title of the deploy key"),
        field("github.key.readonly", payload["key", "read_only"].boolean(), "Whether the deploy key can only read"),
        field("github.rule.name", payload["rule", "name"], "Pattern of the branch protection rule"),
        field("github.hook.url", payload["hook", "config", "url"], "Address of another webhook"),
        field("github.alert.kind", alert["secret_type"] | alert["rule", "id"] | alert["security_advisory", "ghsa_id"], "Kind of the alert"),
        field("github.alert.severity", alert["rule", "severity"] | alert["security_advisory", "severity"], "Severity of the alert"),
        field("github.url", pull["html_url"] | issue["html_url"] | release["html_url"] | payload["compare"], "Address of the event's page"),
    )

    def open(self, _params: str) -> sources.Webhook:
        config = self.config
        return sources.webhook(
            config.address,
            path=config.path,
            secret=config.secret,
            certificate=config.certificate,
            key=config.key,
            members={"x_github_event": "X-GitHub-Event", "x_github_delivery": "X-GitHub-Delivery"},
        )
