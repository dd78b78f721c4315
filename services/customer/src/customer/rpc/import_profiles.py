"""ImportProfileService."""

from google.protobuf.empty_pb2 import Empty

from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer.names import IMPORT_PROFILE
from customer.store import import_profiles as store
from customer.usecases import import_profiles as usecases
from rapport.customer.v1 import import_profile_service_pb2 as pb
from rapport.customer.v1.import_profile_pb2 import ImportProfile
from rapport.customer.v1.import_profile_service_pb2_grpc import ImportProfileServiceServicer


class ImportProfileRpc(Rpc, ImportProfileServiceServicer):
    """How departments read their files."""

    CreateImportProfile = change(pb.CreateImportProfileRequest, usecases.create_profile, ImportProfile)
    GetImportProfile = get(IMPORT_PROFILE, store.PROFILE, ImportProfile)
    ListImportProfiles = listing(pb.ListImportProfilesResponse, store.LIST_PROFILES)
    UpdateImportProfile = change(pb.UpdateImportProfileRequest, usecases.update_profile, ImportProfile)
    DeleteImportProfile = change(pb.DeleteImportProfileRequest, usecases.delete_profile, Empty)
