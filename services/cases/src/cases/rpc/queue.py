"""The gRPC service of the queues."""

from cases.usecases.queue import take_next_work
from chassis.grpc.methods import change
from chassis.servicer import Rpc
from rapport.cases.v1 import queue_service_pb2 as pb
from rapport.cases.v1.queue_service_pb2_grpc import QueueServiceServicer


class QueueRpc(Rpc, QueueServiceServicer):
    """What is to be done next."""

    TakeNextWork = change(pb.TakeNextWorkRequest, take_next_work, pb.NextWork)
