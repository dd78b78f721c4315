"""MatchService: customers who may be one."""

import json
from typing import Any

from chassis.api.actors import actor_name
from chassis.api.messages import to_message
from chassis.db.aliases import groups_of
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from customer import names
from customer.domain.match_jobs import MatchParameters as Parameters
from customer.domain.matches import MatchCandidate as Candidate
from customer.domain.matches import why_match
from customer.store import matches as store
from customer.usecases import match_jobs, match_training, matches
from customer.usecases.hot_views import HotViews
from customer.usecases.match_step import Matcher
from rapport.customer.v1 import match_service_pb2 as pb
from rapport.customer.v1.match_pb2 import MatchCandidate, MatchJob, MatchParameters
from rapport.customer.v1.match_service_pb2_grpc import MatchServiceServicer
from rapport_identity.levels import NAMES
from rapport_identity.parameters import Parameters as Learned


def _candidate(candidate: Candidate) -> MatchCandidate:
    fields = [
        MatchCandidate.Field(field=field, level=level, weight=bits)
        for field, level, bits in json.loads(candidate.fields)
    ]
    bars = [MatchCandidate.Bar.Value(f"BAR_{bar}") for bar in candidate.bars]
    decider = actor_name(candidate.decider, "customer") if candidate.decider else ""
    first = candidate.first_customer
    return to_message(MatchCandidate, candidate, customer=first, fields=fields, bars=bars, decider=decider)


def _parameters(kept: Parameters) -> MatchParameters:
    learned = Learned.from_json(kept.document)
    weights = zip(learned.kinds.items(), learned.weights.fields, strict=True)
    return to_message(
        MatchParameters,
        kept,
        prior_probability=learned.chance[0],
        common_key_count=len(learned.stop),
        fields=[
            MatchParameters.Field(
                field=field,
                levels=[
                    MatchParameters.Field.Level(level=level, one_person=m, two_people=u, weight=bits)
                    for level, m, u, bits in zip(
                        NAMES[kind], learned.m[field], learned.u[field], of, strict=True
                    )
                ],
            )
            for (field, kind), of in weights
        ],
    )


class MatchRpc(Rpc, MatchServiceServicer):
    """Customers who may be one, weighed by `matcher`; `hot` forgets the views of who is linked."""

    hot: HotViews
    matcher: Matcher

    GetMatchCandidate = get(names.MATCH_CANDIDATE, store.CANDIDATE, _candidate)
    AcceptMatchCandidate = change(pb.AcceptMatchCandidateRequest, matches.accept_match, _candidate)
    RejectMatchCandidate = change(pb.RejectMatchCandidateRequest, matches.reject_match, _candidate)
    ReopenMatchCandidate = change(pb.ReopenMatchCandidateRequest, matches.reopen_match, _candidate)
    ExplainMatchCandidate = explain(names.MATCH_CANDIDATE, store.CANDIDATE, _candidate, why_match)
    CreateMatchJob = change(pb.CreateMatchJobRequest, match_jobs.create_match_job, MatchJob)
    GetMatchJob = get(names.MATCH_JOB, store.JOB, MatchJob)
    ListMatchJobs = listing(pb.ListMatchJobsResponse, store.LIST_JOBS)
    CancelMatchJob = change(pb.CancelMatchJobRequest, match_jobs.cancel_match_job, MatchJob)
    GetMatchParameters = get(names.MATCH_PARAMETERS, store.PARAMETERS, _parameters)
    ActivateMatchParameters = change(
        pb.ActivateMatchParametersRequest, match_training.activate_match_parameters, _parameters
    )
    ListMatchParameters = listing(pb.ListMatchParametersResponse, store.LIST_PARAMETERS, _parameters)

    async def ListMatchCandidates(
        self, request: pb.ListMatchCandidatesRequest, context: Any
    ) -> pb.ListMatchCandidatesResponse:
        """List candidates, of everybody or of one customer under whichever of their names."""
        if request.customer:
            ids = (await groups_of(self.db, names.CUSTOMER.ids(request.customer))).everybody
            page = await store.LIST_CANDIDATES_OF.page(self.db, request, _candidate, customer_ids=ids)
        else:
            page = await store.LIST_CANDIDATES.page(self.db, request, _candidate)
        return pb.ListMatchCandidatesResponse(match_candidates=page[0], next_page_token=page[1])
