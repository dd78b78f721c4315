"""AdviceService."""

from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer.names import ADVICE_ANSWER, CUSTOMER
from customer.store import advice as store
from customer.store import tables
from customer.usecases.advice.answering import answer_advice
from customer.usecases.hot_views import HotViews
from rapport.customer.v1 import advice_service_pb2 as pb
from rapport.customer.v1.advice_pb2 import AdviceAnswer
from rapport.customer.v1.advice_service_pb2_grpc import AdviceServiceServicer


class AdviceRpc(Rpc, AdviceServiceServicer):
    """What becomes of advice; views, which `hot` forgets then, give it."""

    hot: HotViews

    AnswerAdvice = change(pb.AnswerAdviceRequest, answer_advice, AdviceAnswer)
    GetAdviceAnswer = get(ADVICE_ANSWER, store.ANSWER, AdviceAnswer)
    ListAdviceAnswers = listing(
        pb.ListAdviceAnswersResponse, store.LIST_ANSWERS, parent=(CUSTOMER, tables.CUSTOMER)
    )
    ExplainAdviceAnswer = explain(ADVICE_ANSWER, store.ANSWER, AdviceAnswer)
