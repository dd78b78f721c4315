"""How it is with providers, and having them tried."""

from typing import Any

from chassis.api.messages import to_message
from chassis.errors import NotFound
from chassis.grpc.methods import change
from chassis.servicer import Rpc
from notifications.domain.provider import MEASURED
from notifications.names import PROVIDER
from notifications.store.providers import LIST_PROVIDERS, SHOW_PROVIDER
from notifications.usecases.provider import try_provider
from rapport.notifications.v1 import provider_service_pb2 as pb
from rapport.notifications.v1.provider_pb2 import Provider
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceServicer


class ProviderRpc(Rpc, ProviderServiceServicer):
    """Who takes our messages."""

    TryProvider = change(pb.TryProviderRequest, try_provider, Provider)

    async def GetProvider(self, request: pb.GetProviderRequest, context: Any) -> Provider:
        """A provider, with figures of the last hour."""
        (provider_id,) = PROVIDER.parse(request.name)
        since = self.db.clock.now() - MEASURED
        row = await SHOW_PROVIDER.maybe(self.db, id=provider_id, since=since)
        if row is None:
            raise NotFound(request.name)
        return to_message(Provider, row)

    async def ListProviders(self, request: pb.ListProvidersRequest, context: Any) -> pb.ListProvidersResponse:
        """All of them, with the same."""
        since = self.db.clock.now() - MEASURED
        shown, token = await LIST_PROVIDERS.page(
            self.db, request, lambda row: to_message(Provider, row), since=since
        )
        return pb.ListProvidersResponse(providers=shown, next_page_token=token)
