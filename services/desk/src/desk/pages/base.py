"""What every page is made with: who looks, how to speak to them, the services, and the frame around it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from chassis.db.database import Database
from desk.auth.viewer import Viewer
from desk.language.catalogues import N_
from desk.pages.services import Services
from desk.ui.rendering import render
from desk.ui.speech import Speech, speech

STATIC = Path(__file__).parent.parent / "ui" / "static"
# Changes with what a browser keeps of us.
ASSETS = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))).hexdigest()[:12]


@dataclass(frozen=True)
class Link:
    """A page in the bar: its path, its words, and the permission that shows it."""

    href: str
    label: str
    permission: str = ""


NAVIGATION: Sequence[Link] = (
    Link("/", N_("My work")),
    Link("/received", N_("To assign"), "customer.timeline_entries.write"),
    Link("/operations", N_("Operations"), "*.operations.read"),
)


@dataclass
class Looking:
    """One look at a page.

    Attributes:
        request: the request.
        viewer: whoever looks.
        say: how to speak to them.
        services: as them.
        db: the desk's database.
    """

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

    def html(self, template: str, **values: Any) -> Markup:
        """A template with its values and what all have."""
        return render(
            template,
            say=self.say,
            viewer=self.viewer,
            assets=ASSETS,
            navigation=[(each.href, each.label, each.permission) for each in NAVIGATION],
            here=self.request.url.path,
            **values,
        ).strip()

    def answer(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """A template as an answer."""
        return HTMLResponse(self.html(template, **values), status, headers)


def looking(request: Request) -> Looking:
    """Who looks, and how: of every route of a page."""
    app = request.app.state
    languages, zone = request.headers.get("accept-language", ""), request.cookies.get("zone", "UTC")
    say = speech(languages, zone, app.db.clock.now())
    return Looking(request, request.state.viewer, say, app.services, app.db, app.memory)


Look = Annotated[Looking, Depends(looking)]
