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


def macros(template: str, **values: Any) -> Any:
    """The macros of a template, as attributes: called with their arguments, they give HTML that is safe."""
    return _ENVIRONMENT.get_template(template).make_module(values)


def macro(template: str, name: str, **values: Any) -> Any:
    """One of them."""
    return getattr(macros(template, **values), name)
