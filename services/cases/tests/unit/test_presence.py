"""Whether an agent is there, as sentences."""

from datetime import UTC, datetime, timedelta

from cases.domain.presence import LASTS, AgentPresence, PresenceState, came

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AVAILABLE, BUSY, AWAY, OFFLINE = PresenceState


def test_who_is_heard_of_no_more_is_offline_since_it_was_believed_last():
    here = came("bob", NOW)
    assert here.at(NOW + LASTS - timedelta(seconds=1)) == here
    gone = here.at(NOW + LASTS)
    assert (gone.state, gone.since_time) == (OFFLINE, NOW + LASTS)


def test_who_is_held_stays_what_they_said():
    away = came("bob", NOW).said(AWAY, None, NOW)
    later = away.held(NOW + LASTS / 2).at(NOW + LASTS)
    assert (later.state, later.since_time) == (AWAY, NOW)


def test_who_said_until_when_is_available_from_then_on():
    busy = came("bob", NOW).said(BUSY, NOW + MINUTE / 2, NOW)
    assert busy.at(NOW).state is BUSY
    after = busy.held(NOW + MINUTE / 4).at(NOW + MINUTE / 2)
    assert (after.state, after.until_time, after.since_time) == (AVAILABLE, None, NOW + MINUTE / 2)


def test_who_comes_back_is_available_unless_what_they_said_goes_on():
    for until, state in ((None, AVAILABLE), (NOW + 5 * MINUTE, AVAILABLE), (NOW + 60 * MINUTE, AWAY)):
        away = came("bob", NOW).said(AWAY, until, NOW)
        assert away.at(NOW + 10 * MINUTE).state is OFFLINE
        assert away.held(NOW + 10 * MINUTE).at(NOW + 10 * MINUTE).state is state


def test_who_signs_out_is_offline_at_once():
    gone = came("bob", NOW).said(OFFLINE, NOW + MINUTE, NOW + timedelta(seconds=1))
    assert gone.at(NOW + timedelta(seconds=1)).state is OFFLINE
    assert gone.until_time is None
    assert gone.at(NOW + MINUTE).since_time == NOW + timedelta(seconds=1)


def test_saying_the_same_again_changes_not_since_when():
    here = came("bob", NOW).said(AVAILABLE, None, NOW + MINUTE / 2)
    assert here.since_time == NOW


def test_nothing_is_known_of_who_never_came():
    listed = AgentPresence("bob", "delivery", 3, 1)
    assert listed.at(NOW) == listed
    assert listed.state is OFFLINE
