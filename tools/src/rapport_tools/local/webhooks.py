"""The senders of webhooks that a local stack knows: one of each kind, whose secret is no secret."""

import json
from pathlib import Path

SECRET = "local-stack-only-and-not-a-secret"  # noqa: S105 - in the README, for whoever tries it
KINDS = ("chat", "email", "event", "fax", "letter", "sms", "social", "telephony", "web-form")


def write_sources(folder: Path) -> None:
    """Write what `RAPPORT_WEBHOOKS_DIR` of a local stack holds; files of the user's own stay."""
    for kind in KINDS:
        (folder / f"{kind}.json").write_text(json.dumps({"kind": kind, "secrets": [SECRET]}))
