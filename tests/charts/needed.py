"""What a chart cannot be rendered without."""

from pathlib import Path
from typing import Any

import jinja2
import yaml

TEMPLATE = Path(__file__).parents[2] / "template" / "values.yaml.jinja"


def made() -> dict[str, Any]:
    """What `make service name=billing resource=invoice` makes."""
    text = jinja2.Template(TEMPLATE.read_text()).render(name="billing", company="rapport", port=7022)
    values: dict[str, Any] = yaml.safe_load(text)
    return values


SMTP = {"settings": {"smtp_host": "mail.example.org"}}
NEEDED: dict[str, dict[str, Any]] = {
    "service": made(),
    "notifications": SMTP,
    "rapport": {"notifications": SMTP},
}
