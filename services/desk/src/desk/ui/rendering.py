"""Templates: found by their path below `desk`, escaped, and strict about what they are not given."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from desk.ui import words

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals.update(words=words)


def render(template: str, **values: Any) -> Markup:
    """A template with its values. `template` is a path such as `pages/customer/page.html`."""
    return Markup(_ENVIRONMENT.get_template(template).render(**values))  # noqa: S704 - it escapes


def macro(template: str, name: str, **values: Any) -> Any:
    """A macro of a template, called with its arguments: gives HTML that is safe already."""
    return getattr(_ENVIRONMENT.get_template(template).make_module(values), name)
