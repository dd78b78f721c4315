"""What is around the notifications service in a benchmark: the services that it asks, and a mail server.

Each customer may be told, by e-mail, and has a manager. Answers cost next to nothing. How much mail came is
asked as `RECEIVED`.
"""

import asyncio
import os
from typing import Any

import grpc
import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from rapport.cases.v1 import agent_pb2, directory_service_pb2_grpc
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    consent_service_pb2,
    consent_service_pb2_grpc,
    purpose_pb2,
    purpose_service_pb2_grpc,
    self_service_link_pb2,
    self_service_link_service_pb2_grpc,
)

RECEIVED = "/bench.Mail/Received"
ESSENTIAL = "purposes/service"


class _Consents(consent_service_pb2_grpc.ConsentServiceServicer):
    async def CheckContact(self, request: Any, context: Any) -> Any:
        return consent_service_pb2.CheckContactResponse(
            allowed=True,
            channel=channel_pb2.CHANNEL_EMAIL,
            address="maria.anders@example.com",
            identifier=f"{request.name}/identifiers/1",
            display_name="Maria Anders",
            language_code="en",
            time_zone="Europe/Berlin",
            relationship_manager="agents/sam",
            category=request.purpose.removeprefix("purposes/"),
            essential=request.purpose == ESSENTIAL,
        )


class _Purposes(purpose_service_pb2_grpc.PurposeServiceServicer):
    async def GetPurpose(self, request: Any, context: Any) -> Any:
        category = request.name.removeprefix("purposes/")
        essential = request.name == ESSENTIAL
        return purpose_pb2.Purpose(
            name=request.name, category=category, essential=essential, display_name=category
        )


class _Links(self_service_link_service_pb2_grpc.SelfServiceLinkServiceServicer):
    async def GetSelfServiceLink(self, request: Any, context: Any) -> Any:
        return self_service_link_pb2.SelfServiceLink(name=request.name, token="a-token_of-a-customer")


class _Directory(directory_service_pb2_grpc.DirectoryServiceServicer):
    async def GetAgent(self, request: Any, context: Any) -> Any:
        return agent_pb2.Agent(
            name=request.name, display_name="Sam Reed", phone="+49 30 1234", email="sam@acme.example"
        )


class _Mail:
    """Takes everything."""

    received = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received += 1
        return "250 kept"


class _Received(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def __init__(self, mail: _Mail) -> None:
        self._mail = mail

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != RECEIVED:
            return None

        async def received(request: bytes, context: object) -> bytes:
            return str(self._mail.received).encode()

        return grpc.unary_unary_rpc_method_handler(received)


async def _serve(port: int, smtp_port: int) -> None:
    mail = _Mail()
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(mail, hostname="bench.local"), "127.0.0.1", smtp_port)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    consent_service_pb2_grpc.add_ConsentServiceServicer_to_server(_Consents(), server)
    purpose_service_pb2_grpc.add_PurposeServiceServicer_to_server(_Purposes(), server)
    self_service_link_service_pb2_grpc.add_SelfServiceLinkServiceServicer_to_server(_Links(), server)
    directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server(_Directory(), server)
    server.add_generic_rpc_handlers((_Received(mail),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(_serve(int(os.environ["RAPPORT_GRPC_PORT"]), int(os.environ["BENCH_SMTP_PORT"])))
