"""What every page is made with: who looks, how to speak to them, the services, the frame around it, cards."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from chassis.db.database import Database
from chassis.errors import PermissionDenied
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.exports import view as exports
from desk.pages.imports import view as imports
from desk.pages.services import Services
from desk.ui import words
from desk.ui.speech import Speech, speech

STATIC = Path(__file__).parent.parent / "ui" / "static"
# Templates are found by their path below `desk`, escaped, and strict about what they are not given.
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(STATIC.parent.parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals.update(words=words)
# Changes with what a browser keeps of us.
ASSETS = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))).hexdigest()[:12]


# What says how long ago or until when changes each minute, and is no news.
_AGES = re.compile(r'<span class="[a-z ]*age">.*?</span>', re.DOTALL)
# The pages in the bar, and beside them in the menu what few do: a path, its words, and who is shown it, by a
# permission or by whether there is anything that they may do there.
NAVIGATION = (
    ("/", N_("My work"), ""),
    ("/queue", N_("Queue"), "cases.work_items.read"),
    ("/cases", N_("Cases"), "cases.cases.read"),
    ("/departments", N_("Departments"), "cases.promises.read"),
    ("/received", N_("To assign"), "customer.timeline_entries.write"),
    ("/matchCandidates", N_("Same person?"), "customer.match_candidates.write"),
    ("/goodwill", N_("To approve"), "loyalty.goodwill.approve"),
    ("/operations", N_("Operations"), "*.operations.read"),
)
SELDOM = (("/imports", N_("Imports"), imports.kinds), ("/exports", N_("Exports"), exports.kinds))
COUNTED = ("/matchCandidates", "/goodwill")  # beside which stands how much waits: what `/count` below it says


def render(template: str, **values: Any) -> Markup:
    """A template with its values. `template` is a path such as `pages/customer/page.html`."""
    return Markup(_ENVIRONMENT.get_template(template).render(**values))  # noqa: S704 - it escapes


def macros(template: str, **values: Any) -> Any:
    """The macros of a template, as attributes: called with their arguments, they give HTML that is safe."""
    return _ENVIRONMENT.get_template(template).make_module(values)


@dataclass
class Looking:
    """One look at a page: at whose request, how to speak to them, the services as them."""

    request: Request
    viewer: Viewer
    say: Speech
    services: Services
    db: Database = field(repr=False)
    memory: dict[Any, Any] = field(repr=False)

    @property
    def is_fragment(self) -> bool:
        """Whether a part of a page asks, and not somebody who goes to one."""
        return self.request.headers.get("x-requested-with") == "fragment"

    def require(self, permission: str) -> None:
        """PermissionDenied for who does not hold it."""
        if not self.viewer.may(permission):
            told = f"This needs the permission {permission}."
            raise PermissionDenied("PERMISSION_DENIED", told, {"permission": permission})

    def html(self, template: str, **values: Any) -> Markup:
        """A template with its values and what all have."""
        return render(
            template,
            say=self.say,
            viewer=self.viewer,
            assets=ASSETS,
            navigation=NAVIGATION,
            seldom=tuple((path, called, "") for path, called, may in SELDOM if may(self.viewer, self.say)),
            counted=COUNTED,
            here=self.request.url.path,
            **values,
        ).strip()

    def answer(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        return HTMLResponse(self.html(template, **values), status, headers)


def looking(request: Request) -> Looking:
    """Who looks, and how: of every route of a page."""
    app = request.app.state
    languages, zone = request.headers.get("accept-language", ""), request.cookies.get("zone", "UTC")
    say = speech(languages, zone, app.db.clock.now())
    return Looking(request, request.state.viewer, say, app.services, app.db, app.memory)


Look = Annotated[Looking, Depends(looking)]


@dataclass(frozen=True)
class Card:
    """A card."""

    html: str  # what it holds
    version: str  # another one, whenever the HTML is another
    meaning: str  # another one, when there is news


def card(html: str) -> Card:
    """What a macro gave, as a card."""
    told = html.strip()
    return Card(told, _hash(told), _hash(_AGES.sub("", told)))


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def changes(before: Mapping[str, Card], after: Mapping[str, Card]) -> Mapping[str, Card]:
    """The cards that are another version."""
    return {
        name: each
        for name, each in after.items()
        if name not in before or before[name].version != each.version
    }


def message(of: str, cards: Mapping[str, Card], at: datetime) -> dict[str, Any]:
    """Cards for a browser, as JSON: whose page they are of, and when it was asked what they show.

    Answers overtake each other on their way: the browser keeps what was asked for last.
    """
    told = {name: asdict(card) for name, card in cards.items()}
    return {"customer": of, "cards": told, "at": at.timestamp()}
