"""Sessions: begun by a sign-in, looked up by each request, ended by time, a sign-out or the provider."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from chassis.auth.tokens import Verifier
from chassis.context import Call, Principal, acting
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.errors import Unauthenticated
from chassis.telemetry import tracing
from desk.auth.cookies import Cookies, fresh
from desk.auth.renewal import Renewal, Renews, SessionOver, Tokens, seal, unseal
from desk.store import people as store
from desk.store.cleaning import all_of
from desk.store.people import Session

SEEN_S = 2.0  # for which a session that was looked up is believed: what ends it is seen this late at most
KNOWN_MAX = 10_000
FOREVER = datetime.max.replace(tzinfo=UTC)
EXTEND_EVERY = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who is signed in."""

    principal: Principal  # their subject, department and permissions, as in the access token
    display_name: str  # what the identity provider calls them
    # `Bearer <access token>`: what is done for them is done with it, so that services decide
    credential: str = field(repr=False)
    csrf: str = field(repr=False)  # what a form of theirs carries, to prove that it is one of ours
    until: datetime = FOREVER  # when their session ends, if they do nothing
    may_stay: bool = True  # whether it ends later when they do something

    @property
    def agent(self) -> str:
        """`agents/{agent}`, as the contracts name them."""
        return f"agents/{self.principal.subject.partition(':')[2]}"

    @property
    def department(self) -> str:
        """`departments/{department}`; empty for nobody's."""
        return self.principal.department and f"departments/{self.principal.department}"

    def may(self, permission: str) -> bool:
        """Whether their token holds a permission: what a page offers them. The service decides.

        `*.operations.read` asks for that of any service.
        """
        service, _, verb = permission.partition(".")
        if service == "*":
            held = self.principal.permissions
            return "*" in held or any(each.partition(".")[2] == verb for each in held)
        return self.principal.may(permission)

    def may_change(self, permission: str, owner: str) -> bool:
        """Whether a service would let them change what a department owns, with that permission."""
        ours = self.department == owner or self.principal.administers(permission.partition(".")[0])
        return self.may(permission) and ours


class Sessions:
    """All sessions of the desk."""

    def __init__(
        self, db: Database, verifier: Verifier, provider: Renews, idle_minutes: int, hours: int
    ) -> None:
        self._db = db
        self._verifier = verifier
        self._idle = timedelta(minutes=idle_minutes)  # how long a session lasts without use
        self._longest = timedelta(hours=hours)  # and in any case
        self._renewal = Renewal(db, provider)
        self._seen: OrderedDict[bytes, tuple[float, Session]] = OrderedDict()

    async def begin(self, tokens: Tokens, display_name: str, form: str = "") -> Cookies:
        """Sign somebody in. `form` is the browser's cookie of forms, when it has one.

        Raises:
            Unauthenticated: the access token is not one that services take, or no person's.
            Unavailable: the issuer's keys, or the database, are away.
        """
        principal = await self._principal(tokens)
        if not principal.subject.startswith("agent:"):
            raise Unauthenticated("TOKEN_INVALID", "Only people sign in: `sub` must be agent:{code}.")
        cookies, now = fresh(form), self._db.clock.now()
        session = Session(
            cookies.session_id,
            principal.subject,
            display_name or principal.subject.partition(":")[2],
            seal(tokens, cookies.tokens_key, cookies.session_id),
            revision=0,
            create_time=now,
            expire_time=self._end(now, now),
            refresh_until=None,
        )
        with acting(_call("SignIn", principal)):
            async with self._db.transaction() as tx:
                tx.touch(_agent(principal.subject))
                await tx.defer(store.INSERT_SESSION, **values(session))
        return cookies

    async def viewer(self, cookies: Cookies | None, *, used: bool = True) -> Viewer | None:
        """Whoever is signed in with these cookies; None for nobody.

        A session that is `used` lasts longer: not by what goes on by itself. Unavailable when nobody can
        tell, for the database or the provider is away: they stay signed in.
        """
        session = cookies and await self._session(cookies.session_id)
        if not session or not cookies:
            return None
        try:
            tokens = unseal(session.tokens, cookies.tokens_key, session.id)
            tokens = await self._current(session, tokens, cookies.tokens_key)
            principal = await self._principal(tokens)
            if principal.subject != session.subject:
                raise SessionOver("the tokens are somebody else's")
        except (SessionOver, Unauthenticated) as ended:
            _log.info("a session is over", why=str(ended))
            await self.end(cookies)
            return None
        if used:
            await self._extend(session)
        return Viewer(
            principal,
            session.display_name,
            _bearer(tokens),
            cookies.csrf(session.subject),
            until=session.expire_time,
            may_stay=session.expire_time < session.create_time + self._longest,
        )

    async def subject(self, cookies: Cookies | None) -> str:
        """Whose session it is, whatever their token is worth now; empty for nobody's."""
        session = cookies and await self._session(cookies.session_id)
        return session.subject if session else ""

    async def identity_token(self, cookies: Cookies) -> str:
        """What the provider knows the person by who signs out."""
        session = await self._session(cookies.session_id)
        return unseal(session.tokens, cookies.tokens_key, session.id).identity if session else ""

    async def end(self, cookies: Cookies) -> None:
        self._seen.pop(cookies.session_id, None)
        session = await store.GET_SESSION.maybe(
            self._db, session=cookies.session_id, now=self._db.clock.now()
        )
        if session is None:
            return
        with acting(_call("SignOut", Principal(session.subject))):
            async with self._db.transaction() as tx:
                tx.touch(_agent(session.subject))
                await tx.defer(store.DELETE_SESSION, session=session.id)

    async def end_all(self, subject: str, by: Principal | None = None) -> int:
        """Sign `agent:alice` out everywhere, within `SEEN_S` seconds; how many sessions that were.

        The audit tells that `by` did it; they themselves, when nobody is named.
        """
        with acting(_call("SignOutEverywhere", by or Principal(subject))):
            async with self._db.transaction() as tx:
                tx.touch(_agent(subject))
                ended = await store.DELETE_SESSIONS_OF.all(tx, person=subject)
        for row in ended:
            self._seen.pop(row["id"], None)
        return len(ended)

    async def clean(self) -> list[object]:
        return await all_of(self._db, store.DELETE_EXPIRED, now=self._db.clock.now())

    async def _session(self, session_id: bytes) -> Session | None:
        now = self._db.clock.now()
        seen_at, session = self._seen.get(session_id, (0.0, None))
        if session is None or time.monotonic() - seen_at > SEEN_S or session.expire_time <= now:
            session = await store.GET_SESSION.maybe(self._db, session=session_id, now=now)
            self._seen.pop(session_id, None)
            if session is not None:
                self._seen[session_id] = time.monotonic(), session
                if len(self._seen) > KNOWN_MAX:
                    self._seen.popitem(last=False)
        return session

    async def _current(self, session: Session, tokens: Tokens, key: bytes) -> Tokens:
        current = await self._renewal.current(session, tokens, key)
        if current is not tokens:
            self._seen.pop(session.id, None)
        return current

    def _end(self, create_time: datetime, now: datetime) -> datetime:
        """When a session ends that is used now."""
        return min(now + self._idle, create_time + self._longest)

    async def _extend(self, session: Session) -> None:
        end = self._end(session.create_time, self._db.clock.now())
        if end - session.expire_time >= EXTEND_EVERY:
            self._seen.pop(session.id, None)
            await store.EXTEND_SESSION.run(self._db, session=session.id, expire_time=end)

    async def _principal(self, tokens: Tokens) -> Principal:
        bearer = _bearer(tokens)
        return self._verifier.known(bearer) or await self._verifier.verify(bearer)


def _bearer(tokens: Tokens) -> str:
    return f"Bearer {tokens.access}"


def _agent(subject: str) -> str:
    return f"agents/{subject.partition(':')[2]}"


def _call(what: str, principal: Principal) -> Call:
    """What the audit has of it."""
    return Call(f"desk.{what}", principal, traceparent=tracing.carried(), purpose="sign-in")
