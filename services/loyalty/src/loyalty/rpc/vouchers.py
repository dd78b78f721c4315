"""The gRPC service of vouchers."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import decimal
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.domain.voucher import why_issued
from loyalty.names import VOUCHER, VOUCHER_USE
from loyalty.store import vouchers as store
from loyalty.usecases import issuing, voucher_ends, vouchers
from rapport.loyalty.v1 import voucher_service_pb2 as pb
from rapport.loyalty.v1.voucher_pb2 import Voucher, VoucherUse
from rapport.loyalty.v1.voucher_service_pb2_grpc import VoucherServiceServicer


def check_worth(check: Check, sent: Any, now: datetime) -> None:
    """A voucher is worth one thing, above nothing; a gift card is an amount, used as often as one likes."""
    worth = sent.HasField("money") + bool(sent.percent_off) + bool(sent.item)
    if worth != 1:
        reason = "REQUIRED" if not worth else "INVALID_NUMBER"
        check.refuse("money", reason, "must be given, or percent_off, or item, and one of them only")
    elif sent.HasField("money") and not decimal(sent.money):
        check.refuse("money", "INVALID_NUMBER", "must be above 0")
    if sent.in_parts and (sent.max_uses or not sent.HasField("money")):
        check.refuse("in_parts", "INVALID_NUMBER", "is of an amount of money, and without max_uses")


def _check_voucher(check: Check, sent: Voucher, now: datetime) -> None:
    check_worth(check, sent, now)
    if not sent.campaign:
        check.refuse("campaign", "REQUIRED", "must be given: what for they are issued")


def _check_source(check: Check, sent: pb.IssueVoucherRequest, now: datetime) -> None:
    if sent.WhichOneof("source") is None:
        check.refuse("redemption", "REQUIRED", "must be given, or goodwill")


def _check_use(check: Check, sent: pb.UseVoucherRequest, now: datetime) -> None:
    if sent.HasField("money") and not decimal(sent.money):
        check.refuse("money", "INVALID_NUMBER", "must be above 0")


class VoucherRpc(Rpc, VoucherServiceServicer):
    """Vouchers, and their uses."""

    rules: ClassVar[Rules] = {
        Voucher: _check_voucher,
        pb.IssueVoucherRequest: _check_source,
        pb.UseVoucherRequest: _check_use,
    }

    IssueVoucher = change(pb.IssueVoucherRequest, issuing.issue_voucher, pb.IssuedVoucher)
    BatchIssueVouchers = change(
        pb.BatchIssueVouchersRequest, issuing.batch_issue_vouchers, pb.BatchIssueVouchersResponse
    )
    ReplaceVoucherCode = change(pb.ReplaceVoucherCodeRequest, issuing.replace_voucher_code, pb.IssuedVoucher)
    ValidateVoucher = change(pb.ValidateVoucherRequest, vouchers.validate_voucher, pb.ValidateVoucherResponse)
    UseVoucher = change(pb.UseVoucherRequest, vouchers.use_voucher, pb.UseVoucherResponse)
    ReverseVoucherUse = change(pb.ReverseVoucherUseRequest, vouchers.reverse_voucher_use, VoucherUse)
    CancelVoucher = change(pb.CancelVoucherRequest, voucher_ends.cancel_voucher, Voucher)
    GetVoucher = get(VOUCHER, store.GET_VOUCHER, Voucher)
    ListVouchers = listing(pb.ListVouchersResponse, store.LIST_VOUCHERS)
    ExplainVoucher = explain(VOUCHER, store.GET_VOUCHER, Voucher, why_issued)
    GetVoucherUse = get(VOUCHER_USE, store.GET_USE, VoucherUse)
    ListVoucherUses = listing(
        pb.ListVoucherUsesResponse, store.LIST_USES, parent=(VOUCHER, store.GET_VOUCHER)
    )
