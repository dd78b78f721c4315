from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition
from customer.domain.import_effects import overwrites
from customer.domain.imports import ImportJob, ImportState, Outcomes

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEPT = timedelta(days=90)


def job(state=ImportState.OPEN):
    return ImportJob(uuid4(), "0" * 64, state, 0, 0, 0, 0, 0, 0, "billing", NOW, NOW, None)


def test_rows_are_counted_with_the_rejected_ones():
    open_job = job()
    open_job.receive(last_line=10, accepted=8, rejected=2)
    open_job.receive(last_line=5, accepted=1, rejected=0)
    assert (open_job.row_count, open_job.refused_count, open_job.last_line) == (11, 2, 10)


@pytest.mark.parametrize("state", [state for state in ImportState if state != "OPEN"])
def test_only_an_open_job_takes_rows(state):
    closed = job(state)
    with pytest.raises(FailedPrecondition) as refusal:
        closed.receive(1, 1, 0)
    told = {"resource": closed.name, "state": state}
    assert (refusal.value.reason, refusal.value.metadata) == ("IMPORT_NOT_OPEN", told)


def test_a_job_is_committed_once_and_asking_again_is_no_error():
    open_job = job()
    assert [open_job.commit("agent:carol", uuid4()) for _ in range(2)] == [True, False]
    assert open_job.state is ImportState.COMMITTING


def test_a_job_is_cancelled_once_and_then_cannot_be_committed():
    open_job = job()
    assert [open_job.cancel(NOW), open_job.cancel(NOW)] == [True, False]
    with pytest.raises(FailedPrecondition):
        open_job.commit("agent:carol", uuid4())


@pytest.mark.parametrize("state", [ImportState.COMMITTING, ImportState.DONE])
def test_a_committed_job_cannot_be_cancelled(state):
    with pytest.raises(FailedPrecondition):
        job(state).cancel(NOW)


def test_the_last_chunk_ends_the_job():
    committed = job(ImportState.COMMITTING)
    committed.applied(Outcomes(3, 1, 1, 1, 0, 0), NOW, last=False, kept_for=KEPT)
    assert (committed.state, committed.end_time) == (ImportState.COMMITTING, None)
    committed.applied(Outcomes(2, 0, 0, 1, 2, 0), NOW, last=True, kept_for=KEPT)
    assert (committed.state, committed.end_time) == (ImportState.DONE, NOW)
    assert (committed.created_count, committed.matched_count, committed.renamed_count) == (5, 1, 2)
    assert (committed.changed_count, committed.skipped_count) == (1, 2)


@pytest.mark.parametrize("end", [lambda job: job.commit("agent:carol", uuid4()), lambda job: job.cancel(NOW)])
def test_what_was_only_looked_at_is_counted_anew_when_it_is_done_or_given_up(end):
    looked_at = job()
    looked_at.receive(last_line=4, accepted=3, rejected=1)
    assert [looked_at.preview("agent:carol", uuid4()) for _ in range(2)] == [True, False]
    with pytest.raises(FailedPrecondition):  # half of it was looked at
        looked_at.commit("agent:carol", uuid4())
    looked_at.looked_at(Outcomes(1, 1, 1, 0, 0, 1), 4, last=True)
    assert (looked_at.state, looked_at.refused_count) == (ImportState.PREVIEWED, 2)
    end(looked_at)
    assert (looked_at.created_count, looked_at.matched_count, looked_at.refused_count) == (0, 0, 1)


@pytest.mark.parametrize(
    ("before", "after", "is_lost"),
    [
        ("", '[{"type": "HOME"}]', False),
        ('[{"type": "HOME", "primary": true}]', '[{"type": "HOME"}, {"type": "WORK"}]', False),
        ('[{"type": "HOME"}]', '[{"type": "WORK"}]', True),
    ],
)
def test_an_address_beside_others_overwrites_nothing(before, after, is_lost):
    assert overwrites("addresses", before, after) is is_lost


@pytest.mark.parametrize(
    ("before", "after", "is_lost"), [("", "Ada", False), ("ALFKI", "", False), ("Ada", "ADA", True)]
)
def test_what_takes_the_place_of_something_overwrites_it(before, after, is_lost):
    assert overwrites("display_name", before, after) is is_lost


def done(rows=2):
    finished = job()
    finished.receive(last_line=2, accepted=2, rejected=1)
    finished.commit("agent:carol", uuid4())
    finished.applied(Outcomes(rows, 0, 0, 0, 0, 0), NOW, last=True, kept_for=KEPT)
    return finished


def test_an_import_is_taken_back_once_and_asking_again_is_no_error():
    finished = done()
    assert [finished.revert("agent:carol", uuid4(), NOW) for _ in range(2)] == [True, False]
    finished.taken_back(1, 1, NOW, last=True)
    assert (finished.state, finished.reverted_count, finished.kept_count) == (ImportState.REVERTED, 1, 1)
    assert not finished.revert("agent:carol", uuid4(), NOW)


@pytest.mark.parametrize(
    ("finished", "now", "reason"),
    [
        (job(), NOW, "IMPORT_NOT_DONE"),
        (done(), NOW + KEPT, "IMPORT_TOO_OLD"),
        (done(rows=1), NOW, "IMPORT_TOO_OLD"),  # what the other row did, the release before did not keep
    ],
)
def test_what_is_not_done_or_not_kept_is_not_taken_back(finished, now, reason):
    with pytest.raises(FailedPrecondition) as refusal:
        finished.revert("agent:carol", uuid4(), now)
    assert refusal.value.reason == reason
