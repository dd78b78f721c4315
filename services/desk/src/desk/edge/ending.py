"""`POST /sessions:end`: an operator signs somebody out everywhere, with a token of their own."""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from chassis.auth.tokens import Verifier
from chassis.errors import invalid
from chassis.grpc.admission import recognise, require
from chassis.names import Pattern
from desk.auth.sessions import Sessions
from desk.edge import answering, problems, reading

PATH = "/sessions:end"
METHOD = "desk.Sessions/End"
PERMISSION = "desk.operations.write"
BODY_MAX_BYTES = 1024
_AGENT = Pattern("agents/{agent:code}")


class Ending:
    """Answers what is sent to `/sessions:end`."""

    def __init__(self, sessions: Sessions, verifier: Verifier) -> None:
        self._sessions = sessions
        self._verifier = verifier
        self._room = reading.Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)

        async def work(told: dict[str, str]) -> Response:
            return JSONResponse({"ended": await self._end(request)}, 200, told)

        await answering.answer(METHOD, request, send, work)

    async def _end(self, request: Request) -> int:
        if request.method != "POST":
            raise problems.MethodNotAllowed("POST")
        headers = reading.headers_of(request)
        operator = await recognise(self._verifier, headers)
        require(operator, PERMISSION)
        with self._room.for_one(operator.subject) as take:
            body = await reading.body_of(request, take, BODY_MAX_BYTES)
        try:
            (agent,) = _AGENT.parse(json.loads(body)["agent"], "agent")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise invalid(
                "agent", "INVALID_NAME", 'must be who to sign out: {"agent": "agents/alice"}'
            ) from None
        return await self._sessions.end_all(f"agent:{agent}", operator)
