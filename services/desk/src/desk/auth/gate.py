"""Everything of signing in, put together."""

from datetime import timedelta

from starlette.types import ASGIApp

from chassis.app import App
from desk.auth.cookies import Jar
from desk.auth.entrance import PATHS, Entrance
from desk.auth.forms import origin_of
from desk.auth.guard import Guard
from desk.auth.headers import Hardening
from desk.auth.provider import Provider
from desk.auth.sessions import Lifetimes, Sessions
from desk.settings import Settings


class Gate:
    """Signing in, for one desk.

    Args:
        app: the service; its sessions are cleaned up while it runs.

    Attributes:
        sessions: of those who are signed in.
        jar: of their cookies.
        origin: of pages of ours.
    """

    def __init__(self, app: App[Settings]) -> None:
        settings = app.settings
        lifetimes = Lifetimes(
            timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
        )
        self._provider = Provider(settings)
        self.sessions = Sessions(app.db, app.verifier, self._provider, lifetimes)
        self.jar = Jar(settings.site_url)
        self.origin = origin_of(settings.site_url)
        app.background(self.sessions.clean)

    def before(self, pages: ASGIApp) -> ASGIApp:
        """The pages, for those who are signed in."""
        entrance = Entrance(self._provider, self.sessions, self.jar, self.origin)
        hardening = Hardening(self.jar.secure, self._provider.origins)
        return Guard(pages, entrance, PATHS, self.sessions, self.jar, self.origin, hardening)
