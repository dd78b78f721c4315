"""The gRPC service of what cases are about."""

from cases.names import TOPIC
from cases.store import topics as store
from cases.usecases.topic import create_topic, update_topic
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import topic_service_pb2 as pb
from rapport.cases.v1.topic_pb2 import Topic
from rapport.cases.v1.topic_service_pb2_grpc import TopicServiceServicer


class TopicRpc(Rpc, TopicServiceServicer):
    """What cases are about."""

    CreateTopic = change(pb.CreateTopicRequest, create_topic, Topic)
    UpdateTopic = change(pb.UpdateTopicRequest, update_topic, Topic)
    GetTopic = get(TOPIC, store.TOPIC, Topic)
    ListTopics = listing(pb.ListTopicsResponse, store.LIST_TOPICS)
    ExplainTopic = explain(TOPIC, store.TOPIC, Topic)
