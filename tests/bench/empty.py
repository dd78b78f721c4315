"""An RPC that does nothing behind the chassis' whole interceptor stack."""

import asyncio
import os
from uuid import uuid4

import uvloop

from chassis.auth.tokens import Verifier
from chassis.grpc.server import Server
from chassis.telemetry import tracing
from rapport.loyalty.v1 import membership_pb2, membership_service_pb2
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceServicer
from rapport_testing.tokens import nobody_asks

METHOD = "/rapport.loyalty.v1.MembershipService/GetMembership"
_ANSWER = membership_pb2.Membership()


def request() -> membership_service_pb2.GetMembershipRequest:
    """Asks for a membership of its own."""
    return membership_service_pb2.GetMembershipRequest(name=f"programs/bench/memberships/{uuid4()}")


class Empty(MembershipServiceServicer):  # type: ignore[misc]
    """Answers with an empty message."""

    async def GetMembership(self, request: object, context: object) -> membership_pb2.Membership:  # type: ignore[override]
        """Do nothing."""
        return _ANSWER


async def _serve() -> None:
    verifier = Verifier(os.environ["RAPPORT_JWKS_URL"], os.environ["RAPPORT_ISSUER"])
    server = Server("loyalty", [Empty()], verifier, nobody_asks)
    await server.start("127.0.0.1", int(os.environ["RAPPORT_GRPC_PORT"]))
    server.set_ready(True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    tracing.setup("loyalty")
    uvloop.install()
    asyncio.run(_serve())
