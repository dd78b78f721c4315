"""The loyalty service: what it is made of."""

from functools import partial
from pathlib import Path

from chassis.app import App
from chassis.events.declarations import Listening
from chassis.inbox import aliases
from chassis.service import Service
from loyalty.domain.card_numbers import CardNumbers
from loyalty.events.authority import on_harm, on_policy
from loyalty.events.cases import goodwill_for_renegotiation, on_promises
from loyalty.events.customer import bands_of_merged
from loyalty.events.earning import EARNING, earning_by
from loyalty.rpc.earning import EarningRpc
from loyalty.rpc.goodwill import GoodwillRpc
from loyalty.rpc.ledger import LedgerRpc
from loyalty.rpc.lots import LotRpc
from loyalty.rpc.memberships import CardRpc, MemberRpc, MembershipRpc
from loyalty.rpc.programs import ProgramRpc
from loyalty.rpc.purchases import PurchaseRpc
from loyalty.rpc.rates import ExchangeRateRpc
from loyalty.rpc.reevaluation import ReevaluationJobRpc
from loyalty.rpc.reservations import ReservationRpc
from loyalty.rpc.rewards import RewardRpc
from loyalty.rpc.tiers import TierRpc
from loyalty.rpc.vouchers import VoucherRpc
from loyalty.settings import Settings
from loyalty.usecases.breakage import BREAKAGE_TIMER, expect_breakage, post_breakage
from loyalty.usecases.checks import CHECKS_TIMER, check_ledger, expect_checks, tell_checks
from loyalty.usecases.expiry_notices import EXPIRY_NOTICE_TIMER, tell_of_ends
from loyalty.usecases.goodwill_authority import Authority
from loyalty.usecases.goodwill_requests import REQUEST_TIMER, expire_request, tell_requests
from loyalty.usecases.lots_due import LOTS_TIMER, see_to_lots, tell_lots
from loyalty.usecases.rates import RATES_TIMER, follow_rates
from loyalty.usecases.redeeming import expire
from loyalty.usecases.reevaluation import REEVALUATION_TIMER, go_on
from loyalty.usecases.reservations import RESERVATION_TIMER
from loyalty.usecases.rewards import tell_rewards
from loyalty.usecases.shards import expect_shards
from loyalty.usecases.tiers import REVIEW_TIMER, WALK_TIMER, review_tiers, walk_on
from loyalty.usecases.values import BANDS_TIMER, expect_bands, follow_bands
from loyalty.usecases.voucher_ends import VOUCHERS_TIMER, see_to_vouchers, tell_vouchers
from rapport.cases.v1.cases_events_pb2 import (
    AuthorityPolicyCreated,
    AuthorityPolicyUpdated,
    CaseOpened,
    CaseUpdated,
    PromiseAtRisk,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseRenegotiated,
)
from rapport.loyalty.v1 import loyalty_events_pb2

PROMISES = Listening(
    "loyalty-promises",
    "cases",
    [PromiseMade, PromiseAtRisk, PromiseBroken, PromiseKept, PromiseRenegotiated],
    in_batches=True,
)
DELAYS = Listening("loyalty-goodwill", "cases", [PromiseRenegotiated])

AUTHORITY = Listening(
    "loyalty-authority",
    "cases",
    [AuthorityPolicyCreated, AuthorityPolicyUpdated, CaseOpened, CaseUpdated],
)


def compose(app: App[Settings]) -> None:
    """Everything that the service serves and listens to."""
    formula = app.settings.formula
    authority = Authority(app.settings.delay_goodwill, app.settings.money_goodwill, formula)

    app.serve(ProgramRpc(app))
    app.serve(LedgerRpc(app))
    app.serve(LotRpc(app))
    app.serve(ReservationRpc(app))
    app.serve(RewardRpc(app, formula=formula))
    app.serve(VoucherRpc(app))
    app.serve(MembershipRpc(app))
    app.serve(MemberRpc(app))
    app.serve(CardRpc(app, numbers=CardNumbers(app.settings.card_pepper.get_secret_value())))
    app.serve(TierRpc(app))
    app.serve(PurchaseRpc(app, formula=formula))
    app.serve(ExchangeRateRpc(app, formula=formula))
    app.serve(EarningRpc(app, formula=formula))
    app.serve(ReevaluationJobRpc(app, formula=formula))
    app.serve(GoodwillRpc(app, authority=authority))

    app.on_open(partial(expect_bands, app.db, formula))
    app.on_open(partial(expect_shards, app.db, LOTS_TIMER))
    app.timer(LOTS_TIMER, see_to_lots)
    app.on_open(partial(expect_breakage, app.db))
    app.timer(BREAKAGE_TIMER, post_breakage)
    app.measure(partial(tell_lots, app.db))
    app.timer(REQUEST_TIMER, expire_request)
    app.measure(partial(tell_requests, app.db))
    app.on_open(partial(expect_shards, app.db, EXPIRY_NOTICE_TIMER))
    app.timer(EXPIRY_NOTICE_TIMER, tell_of_ends)
    app.on_open(partial(expect_shards, app.db, REVIEW_TIMER))
    app.timer(REVIEW_TIMER, review_tiers)
    app.timer(WALK_TIMER, walk_on)
    app.timer(REEVALUATION_TIMER, lambda tx, timer: go_on(tx, formula, timer.key))
    app.timer(RESERVATION_TIMER, expire)
    app.measure(partial(tell_rewards, app.db))
    app.on_open(partial(expect_shards, app.db, VOUCHERS_TIMER, 1))
    app.timer(VOUCHERS_TIMER, see_to_vouchers)
    app.measure(partial(tell_vouchers, app.db))
    app.on_open(partial(expect_checks, app.db))
    app.timer(CHECKS_TIMER, check_ledger)
    app.measure(partial(tell_checks, app.db))
    app.timer(BANDS_TIMER, lambda tx, _: follow_bands(tx, formula))
    app.timer(RATES_TIMER, lambda tx, timer: follow_rates(tx, formula, timer))
    app.project(PROMISES.durable, on_promises)
    app.project(EARNING.durable, earning_by(formula))
    app.subscribe(aliases.listening(app.name).durable, bands_of_merged(formula))
    app.subscribe(AUTHORITY.durable, on_policy, on_harm)
    app.subscribe(DELAYS.durable, goodwill_for_renegotiation(authority))


service = Service(
    "loyalty",
    port=7003,
    settings=Settings,
    events=loyalty_events_pb2,
    migrations=Path(__file__).parent / "migrations",
    compose=compose,
    listens=[PROMISES, DELAYS, AUTHORITY, EARNING, aliases.listening("loyalty")],
    calls=["cases"],  # to explain what a promise led to
    permissions=["cases.promises.read"],
)
