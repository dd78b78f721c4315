"""What opens something is in the answer, and in nothing that is kept of it."""

from chassis.api.secret import kept
from rapport.loyalty.v1.voucher_pb2 import Voucher
from rapport.loyalty.v1.voucher_service_pb2 import BatchIssueVouchersResponse, IssuedVoucher


def test_an_answer_is_kept_without_its_secrets_however_deep_and_stays_as_it_is_itself() -> None:
    issued = IssuedVoucher(voucher=Voucher(name="vouchers/1", used_count=2), code="K7QF")
    answer = BatchIssueVouchersResponse(issued=[issued, issued])
    stored = BatchIssueVouchersResponse.FromString(kept(answer))
    assert [(each.voucher, each.code) for each in stored.issued] == [(issued.voucher, "")] * 2
    assert [each.code for each in answer.issued] == ["K7QF"] * 2


def test_an_answer_without_secrets_is_kept_as_it_is() -> None:
    voucher = Voucher(name="vouchers/1", item="cup-7")
    assert kept(voucher) == voucher.SerializeToString()
