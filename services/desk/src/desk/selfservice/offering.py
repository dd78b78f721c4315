"""By which channels customers are written to and called here: those that their own pages offer.

What takes messages the notifications service knows. What nobody can know of it is said by a setting: that
colleagues call and write letters, and that an app of the installation's shows the inbox.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import grpc
import structlog

from chassis.api.messages import enum_name
from chassis.context import Call, acting, service_itself
from desk.ui.words import spoken
from rapport.common.v1.channel_pb2 import CHANNEL_APP, Channel
from rapport.notifications.v1.provider_service_pb2 import ListProvidersRequest

if TYPE_CHECKING:
    from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceAsyncStub

AGAIN_S = 60.0
_log = structlog.get_logger(__name__)


class Offering:
    """The channels that are offered: of providers as they were heard of last, and those that are said.

    Before anything was heard that is e-mail. No page waits for the notifications service.
    """

    def __init__(self, name: str, providers: "ProviderServiceAsyncStub", said: Collection[str]) -> None:
        self._name, self._providers, self._said = name, providers, said
        self._served = {"email"}
        self._heard = True

    def __contains__(self, code: object) -> bool:
        return code in self._served or code in self._said

    async def hear(self) -> None:
        """Ask what takes messages; what was heard last stays while it does not answer."""
        with acting(Call("channels", service_itself(self._name))):
            try:
                listed = await self._providers.ListProviders(ListProvidersRequest(page_size=1000))
            except grpc.aio.AioRpcError as error:
                if self._heard:
                    told = "by which channels customers are written to is as it was heard last"
                    _log.warning(told, offered=sorted(self._served), code=error.code().name)
                self._heard = False
                return
        served = {each.channel for each in listed.providers} - {CHANNEL_APP}  # the inbox, app or not
        self._served = {spoken(enum_name(Channel.DESCRIPTOR, each)) for each in served} | {"email"}
        self._heard = True
