"""What is known of a way to reach a customer: that they proved it is theirs, and whether others have it."""

from collections.abc import Awaitable, Callable
from functools import partial

from google.protobuf.field_mask_pb2 import FieldMask

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, opens, sends
from desk.pages.customer.things import thing_of
from rapport.customer.v1 import customer_service_pb2 as pb
from rapport.customer.v1.identifier_pb2 import Identifier

_seen = opens(lambda to: to.customers.GetIdentifier, pb.GetIdentifierRequest)


def _marks(shared: bool, told: str) -> Callable[[Doing], Awaitable[Done]]:
    async def do(doing: Doing) -> Done:
        marked = Identifier(name=doing.on, shared=shared, etag=doing.text("etag"))
        mask = FieldMask(paths=["shared"])
        request = doing.request(pb.UpdateIdentifierRequest, identifier=marked, update_mask=mask)
        changed = await doing.look.services.customers.UpdateIdentifier(request)
        undo = (UNSHARE if shared else SHARE).undo(doing, doing.on, etag=changed.etag)
        return Done(doing.look.say(told, what=thing_of(changed, doing.look.say)), doing.on, undo)

    return do


_proof = partial(Action, permission="customer.identifiers.verify", open=_seen)
_mark = partial(Action, permission="customer.identifiers.write", open=_seen, button=N_("Mark"))
VERIFY = _proof(
    id="verify",
    label=N_("Note as verified"),
    fields=[Field("method", N_("How it was proved"), codes=("code-sent", "called-back", "id-card"))],
    consequence=N_("It says from now on that this customer has it, by your word."),
    do=sends(
        lambda to: to.customers.VerifyIdentifier,
        pb.VerifyIdentifierRequest,
        N_("Verified: {what}."),
        method="method",
    ),
)
WITHDRAW = _proof(
    id="unverify",
    label=N_("Withdraw the proof"),
    fields=[Field("reason", N_("Reason"), codes=("bounced", "number-reassigned", "mistake"))],
    button=N_("Withdraw"),
    do=sends(
        lambda to: to.customers.WithdrawIdentifierVerification,
        pb.WithdrawIdentifierVerificationRequest,
        N_("No longer verified: {what}."),
        reason_code="reason",
    ),
)
SHARE = _mark(
    id="share",
    label=N_("Mark as shared"),
    consequence=N_("Others may have it, too: it finds this customer, and proves of nobody who they are."),
    do=_marks(True, N_("Shared with others: {what}.")),
)
UNSHARE = _mark(
    id="unshare",
    label=N_("Mark as theirs alone"),
    consequence=N_("Whoever has it is this customer."),
    do=_marks(False, N_("Theirs alone: {what}.")),
)
