"""What a chart cannot be rendered without."""

from typing import Any

SMTP = {"settings": {"smtp_host": "mail.example.org"}}
NEEDED: dict[str, dict[str, Any]] = {
    "service": {"name": "billing"},
    "notifications": SMTP,
    "rapport": {"notifications": SMTP},
}
