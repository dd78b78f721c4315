"""Resource names: `cases/0198.../notes/0198...` to ids and back (AIP-122).

A variable is a UUID unless it says otherwise:

    {case}          UUID, canonical: lower case with dashes
    {agent:code}    an id that people choose: lower-case letters, digits, dashes; 1 to 63 characters
    {attempt:number}  a positive whole number
    {consent:code_pair}  two codes with a dot between

Which it is stands in the contract: `resource` makes the pattern of a resource from its description there.
"""

import functools
import re
from typing import Any, Self, overload
from uuid import UUID

from chassis.errors import invalid

SERVICE = r"[a-z][a-z0-9]{0,30}"  # also a database, a role, a stream, a Python package, a chart
# What else is called so where services are: users of the broker and of PostgreSQL, charts, their parts.
RESERVED = frozenset(
    {"admin", "chassis", "collector", "infra", "mailbox", "nats", "none", "postgres", "public", "rapport"}
    | {"service", "template0", "template1"}
)
CODE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
SUBJECT = rf"(?:agent|service):{CODE}"  # who acts, but for the clock
_KINDS: dict[str, tuple[str, type]] = {
    "uuid": (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", UUID),
    "code": (CODE, str),
    "code_pair": (rf"{CODE}\.{CODE}", str),
    "number": (r"[1-9][0-9]{0,8}", int),
}
_ACTORS = {"service": "services", "customer": "customers"}  # by role; every other is that of people here
PLATFORM = "platform"  # the department whose policies, templates and calendars are everybody's
# Whose the names are by which an export calls what is in it: the system of an identifier, the source of an
# import key. See docs/adr/0100-a-name-here-is-an-id-elsewhere.md.
EXPORTED = "rapport"
REMEMBERED = 4096  # names of each type whose ids are known without parsing: the same few come again and again
_VARIABLE = re.compile(r"\{([a-z_]+)(?::([a-z_]+))?\}")


def service_problem(name: object) -> str:
    """Why a service cannot be called so; "" when it can."""
    if not isinstance(name, str) or not re.fullmatch(SERVICE, name):
        return f"a service is called by 1 to 31 lower-case letters and digits, a letter first, not {name!r}"
    return f"no service can be called {name}: {', '.join(sorted(RESERVED))} are" if name in RESERVED else ""


def acted(subject: str) -> str:
    """The name of who acted as `subject`, but for the clock: `agents/alice` as `agent:alice`."""
    role, _, who = subject.partition(":")
    return f"{_ACTORS.get(role, 'agents')}/{who}"


class Pattern:
    """The shape of the names of one resource type: `cases/{case}/notes/{note}`, with the kinds."""

    def __init__(self, pattern: str) -> None:
        variables = list(_VARIABLE.finditer(pattern))
        kinds = [_KINDS[variable[2] or "uuid"] for variable in variables]
        self._source = pattern
        self.pattern = _VARIABLE.sub(r"{\1}", pattern)
        self.variables = tuple(variable[1] for variable in variables)
        self.kinds = tuple(kind for _, kind in kinds)
        self._template = _VARIABLE.sub("{}", pattern)
        self.arity = len(variables)
        literals = [re.escape(literal) for literal in self._template.split("{}")]
        groups = [f"({regex})" for regex, _ in kinds]
        self._regex = re.compile("".join(a + b for a, b in zip(literals, [*groups, ""], strict=True)))
        self.ids = functools.lru_cache(REMEMBERED)(self._parse)  # of a name; ValueError for what is none

    def any(self) -> "Pattern":
        """That of the names whose last id is `-`, any."""
        return Pattern(re.sub(r"\{[^{}]*\}$", "-", self._source))

    def version(self) -> "Pattern":
        """That of the names of their versions: `calendars/{calendar}/versions/{version}`."""
        return Pattern(f"{self._source}/versions/{{version:number}}")

    def match(self, name: str) -> tuple[Any, ...] | None:
        """The ids in `name` (UUID, str or int by kind), or None when it has another shape."""
        try:
            return self.ids(name)
        except ValueError:
            return None

    def parse(self, name: str, field: str = "name") -> tuple[Any, ...]:
        """The ids in `name`. InvalidArgument INVALID_NAME when it has another shape."""
        ids = self.match(name)
        if ids is None:
            raise invalid(field, "INVALID_NAME", f"must be a name like {self}")
        return ids

    def format(self, *ids: object) -> str:
        """The name that holds `ids`. ValueError when there are too few or too many."""
        if len(ids) != self.arity:
            raise ValueError(f"{self.pattern} takes {self.arity} ids, not {len(ids)}")
        return self._template.format(*ids)

    def named(self, *attributes: str) -> "Named":
        """A property of entities: the name that holds what these attributes do; "" when one is None or "".

        name = CASE.named("id")
        """
        return Named(self, attributes)

    def _parse(self, name: str) -> tuple[Any, ...]:
        match = self._regex.fullmatch(name)
        if match is None:
            raise ValueError(name)  # and not None, which the cache would keep, however long the name
        return tuple(convert(text) for convert, text in zip(self.kinds, match.groups(), strict=True))

    def __str__(self) -> str:
        return self.pattern

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r})"


class Named:
    """A name that is made of an entity's ids whenever it is read. See `Pattern.named`."""

    def __init__(self, pattern: Pattern, attributes: tuple[str, ...]) -> None:
        self._pattern, self._attributes = pattern, attributes

    @overload
    def __get__(self, entity: None, kind: type) -> Self: ...

    @overload
    def __get__(self, entity: object, kind: type) -> str: ...

    def __get__(self, entity: object | None, kind: type) -> Self | str:
        if entity is None:
            return self
        ids = [getattr(entity, each) for each in self._attributes]
        return self._pattern.format(*ids) if all(ids) else ""
