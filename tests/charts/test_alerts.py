"""Each alert fires when it should, and nothing fires otherwise: the rendered rules, in promtool's tests."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.observability.metrics import ROOT, families

Object = dict[str, Any]
Render = Callable[..., list[Object]]

RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = {"prometheusRule": {"enabled": True}}
CHARTS: dict[str, Object] = {
    "cases": RULES | {"tls": {"enabled": True}},
    "customer": RULES,
    "loyalty": RULES,
    "notifications": RULES,
    "desk": RULES | {"settingsFolders": {"webhooks_dir": "desk-webhooks"}},
}
# Series of a service that is well, by the minute: name and labels, and values as promtool writes them.
WELL = {
    "up": "1x{N}",
    "process_start_time_seconds{pod='a'}": "1000x{N}",
    "rpc_server_duration_seconds_count{method='a/Get',code='OK'}": "0+600x{N}",
    "rpc_server_duration_seconds_bucket{method='a/Get',code='OK',le='0.5'}": "0+600x{N}",
    "rpc_server_duration_seconds_count{method='a/Get',code='INTERNAL'}": "0x{N}",
    "rpc_server_duration_seconds_bucket{method='a/Get',code='INTERNAL',le='0.5'}": "0x{N}",
    "rpc_server_duration_seconds_count{method='a/WatchAll',code='OK'}": "0+600x{N}",
    "rpc_server_duration_seconds_bucket{method='a/WatchAll',code='OK',le='0.5'}": "0x{N}",
    "http_server_request_duration_seconds_count{status='200'}": "0+600x{N}",
    "http_server_request_duration_seconds_bucket{status='200',le='0.5'}": "0+600x{N}",
    "http_server_request_duration_seconds_bucket{status='200',le='2.5'}": "0+600x{N}",
    "http_server_request_duration_seconds_bucket{status='200',le='+Inf'}": "0+600x{N}",
    "rapport_warnings": "0x{N}",
    "rapport_certificate_expiry_timestamp_seconds": "7776000x{N}",
    "rapport_event_loop_lag_seconds": "0.01x{N}",
    "rapport_db_pool_timeouts_total": "3x{N}",
    "rapport_outbox_oldest_seconds": "1x{N}",
    "rapport_stream_lost": "0x{N}",
    "rapport_consumer_lag_seconds{consumer='c',source='s'}": "2x{N}",
    "rapport_events_set_aside{consumer='c',state='PARKED'}": "1x{N}",
    "rapport_events_set_aside_oldest_seconds{consumer='c',state='PARKED'}": "100x{N}",
    "rapport_timers_late_seconds": "0x{N}",
    "rapport_timer_runs_total{kind='k',outcome='failed'}": "4x{N}",
    "rapport_work_alarms{kind='k'}": "0x{N}",
    "rapport_work_overdue{kind='k'}": "0x{N}",
    "rapport_work_outcomes_total{kind='k',verdict='DONE'}": "0+10x{N}",
    "rapport_work_outcomes_total{kind='k',verdict='LATER'}": "0+1x{N}",
    "rapport_provider_unavailable{provider='smtp'}": "0x{N}",
    "rapport_provider_waiting{provider='smtp'}": "0x{N}",
    "rapport_notice_jobs{state='running'}": "1x{N}",
    "rapport_notice_jobs{state='blocked'}": "0x{N}",
    "rapport_notice_job_customers_total{outcome='requested'}": "0+60x{N}",
    "rapport_notice_job_customers_total{outcome='refused'}": "0+2x{N}",
    "rapport_notices_uncalled_total": "3x{N}",
    "rapport_rpc_calls_total{caller='billing',method='a/Get',code='OK'}": "0+60x{N}",
    "rapport_rpc_calls_total{caller='billing',method='a/Get',code='PERMISSION_DENIED'}": "0+6x{N}",
    "rapport_facts_recorded_total{type='rapport.notifications.v1.NoticeSent'}": "0+60x{N}",
    "rapport_facts_recorded_total{type='rapport.notifications.v1.NoticeFailed'}": "0+1x{N}",
    "rapport_facts_recorded_total{type='rapport.notifications.v1.NoticeUnknown'}": "0x{N}",
    "rapport_promise_outcomes_total{outcome='told_in_time'}": "0+60x{N}",
    "rapport_promise_outcomes_total{outcome='broken'}": "0+1x{N}",
    "rapport_promise_outcomes_total{outcome='kept'}": "0+60x{N}",
    "rapport_webhooks_oldest_seconds{source='s',kind='mail',state='RECEIVED'}": "60x{N}",
    "rapport_match_queue_oldest_seconds": "5x{N}",
    "rapport_match_failures_total": "3x{N}",
    "rapport_match_candidates_oldest_seconds": "90000x{N}",
    "rapport_work_live{kind='attachment-scan',state='PENDING'}": "1x{N}",
    "rapport_work_outcomes_total{kind='attachment-scan',verdict='DONE'}": "0+6x{N}",
    "rapport_attachments_scanned_total{verdict='INFECTED'}": "2x{N}",
    "rapport_clocks_endless": "0x{N}",
    "rapport_calls{state='waiting'}": "3x{N}",
    "rapport_calls{state='late'}": "0x{N}",
    "rapport_ledger_faults{kind='balance'}": "0x{N}",
    "rapport_ledger_checked_seconds": "300x{N}",
    "rapport_lots_late_seconds": "40x{N}",
    "rapport_value_unrated_total{currency='CHF'}": "7x{N}",
    "rapport_goodwill_request_oldest_seconds": "90000x{N}",
}
# What is otherwise when an alert fires, two hours later; in the charts that have it.
ILL = {
    "RapportServiceDown": {"up": "0x{N}"},
    "RapportPodsRestart": {"process_start_time_seconds{pod='a'}": "1000+30x{N}"},
    "RapportNotWell": {"rapport_warnings": "1x{N}"},
    "RapportCertificateEnds": {"rapport_certificate_expiry_timestamp_seconds": "90000x{N}"},
    "RapportCertificateEndsSoon": {"rapport_certificate_expiry_timestamp_seconds": "90000x{N}"},
    "RapportEventLoopBlocked": {"rapport_event_loop_lag_seconds": "0.4x{N}"},
    "RapportPoolExhausted": {"rapport_db_pool_timeouts_total": "0+1x{N}"},
    "RapportOutboxOld": {"rapport_outbox_oldest_seconds": "0+60x{N}"},
    "RapportEventsLost": {"rapport_stream_lost": "1x{N}"},
    "RapportEventsLate": {"rapport_consumer_lag_seconds{consumer='c',source='s'}": "0+60x{N}"},
    "RapportDeadLetters": {"rapport_events_set_aside{consumer='c',state='DEAD'}": "2x{N}"},
    "RapportEventsRetried": {
        "rapport_events_set_aside_oldest_seconds{consumer='c',state='PARKED'}": "0+60x{N}"
    },
    "RapportTimersLate": {"rapport_timers_late_seconds": "0+60x{N}"},
    "RapportTimersFail": {"rapport_timer_runs_total{kind='k',outcome='failed'}": "0+1x{N}"},
    "RapportWorkAlarm": {"rapport_work_alarms{kind='k'}": "1x{N}"},
    "RapportWorkLate": {"rapport_work_overdue{kind='k'}": "1x{N}"},
    "RapportWorkFails": {"rapport_work_outcomes_total{kind='k',verdict='DONE'}": "7x{N}"},
    "RapportCallerRefused": {
        "rapport_rpc_calls_total{caller='billing',method='a/Get',code='PERMISSION_DENIED'}": "0+600x{N}"
    },
    "RapportAvailabilityBurns": {
        "rpc_server_duration_seconds_count{method='a/Get',code='INTERNAL'}": "0+12x{N}",
        "rpc_server_duration_seconds_bucket{method='a/Get',code='INTERNAL',le='0.5'}": "0+12x{N}",
    },
    "RapportLatencyBurns": {
        "rpc_server_duration_seconds_bucket{method='a/Get',code='OK',le='0.5'}": "0+480x{N}"
    },
    "RapportToldInTimeBurns": {"rapport_promise_outcomes_total{outcome='broken'}": "0+240x{N}"},
    "RapportNoticesFail": {
        "rapport_facts_recorded_total{type='rapport.notifications.v1.NoticeUnknown'}": "0+6x{N}"
    },
    "RapportProviderUnavailable": {"rapport_provider_unavailable{provider='smtp'}": "1x{N}"},
    "RapportProviderBusy": {"rapport_provider_waiting{provider='sms'}": "100x{N}"},
    "RapportNoticeJobBlocked": {"rapport_notice_jobs{state='blocked'}": "1x{N}"},
    "RapportNoticeJobRefused": {"rapport_notice_job_customers_total{outcome='refused'}": "0+70x{N}"},
    "RapportCallsNotMade": {"rapport_notices_uncalled_total": "3+1x{N}"},
    "RapportMatchingLate": {"rapport_match_queue_oldest_seconds": "0+60x{N}"},
    "RapportMatchingFails": {"rapport_match_failures_total": "3+1x{N}"},
    "RapportLedgerWrong": {"rapport_ledger_faults{kind='balance'}": "1x{N}"},
    "RapportRewardsOutOfStock": {"rapport_rewards_out_of_stock": "1x{N}"},
    "RapportGoodwillUnanswered": {"rapport_goodwill_request_oldest_seconds": "180000x{N}"},
    "RapportRatesMissing": {"rapport_value_unrated_total{currency='CHF'}": "0+1x{N}"},
    "RapportLotsLate": {"rapport_lots_late_seconds": "0+60x{N}"},
    "RapportLedgerUnchecked": {"rapport_ledger_checked_seconds": "4000x{N}"},
    "RapportCallsLate": {"rapport_calls{state='late'}": "1x{N}"},
    "RapportEscalationsNotTaken": {"rapport_escalations_open{state='overdue'}": "1x{N}"},
    "RapportClocksEndless": {"rapport_clocks_endless": "1x{N}"},
    "RapportClocksMended": {"rapport_clocks_mended_total{flaw='timer'}": "3+1x{N}"},
    "RapportQueueOld": {"rapport_queue_oldest_seconds": "90000x{N}"},
    "RapportQueueUnattended": {"rapport_queue_work{state='unattended'}": "1x{N}"},
    "RapportMatchQuestionsOld": {"rapport_match_candidates_oldest_seconds": "700000x{N}"},
    "RapportFilesNotScanned": {"rapport_work_outcomes_total{kind='attachment-scan',verdict='DONE'}": "7x{N}"},
    "RapportFilesHarmful": {"rapport_attachments_scanned_total{verdict='INFECTED'}": "2+1x{N}"},
    "RapportSlowPages": {"http_server_request_duration_seconds_bucket{status='200',le='0.5'}": "0+480x{N}"},
    "RapportFailingPages": {
        "http_server_request_duration_seconds_count{status='503'}": "0+12x{N}",
    },
    "RapportWebhooksWait": {
        "rapport_webhooks_oldest_seconds{source='s',kind='mail',state='RECEIVED'}": "20000x{N}"
    },
}
# Budgets that are spent a little too quickly, in three days; the same series, every ten minutes.
SLOWLY = {
    "RapportAvailabilityAtRisk": {
        "rpc_server_duration_seconds_count{method='a/Get',code='INTERNAL'}": "0+2x{N}",
        "rpc_server_duration_seconds_bucket{method='a/Get',code='INTERNAL',le='0.5'}": "0+2x{N}",
    },
    "RapportLatencyAtRisk": {
        "rpc_server_duration_seconds_bucket{method='a/Get',code='OK',le='0.5'}": "0+582x{N}"
    },
    "RapportToldInTimeAtRisk": {"rapport_promise_outcomes_total{outcome='broken'}": "0+6x{N}"},
}
# A single failure is no incident, nor is one caller that is refused a few times, at an hour without traffic.
QUIET_HOUR = {
    "rapport_certificate_expiry_timestamp_seconds": "0x{N}",  # none was read yet
    "rpc_server_duration_seconds_count{method='a/Get',code='OK'}": "0+0.1x{N}",
    "rpc_server_duration_seconds_bucket{method='a/Get',code='OK',le='0.5'}": "0+0.1x{N}",
    "rpc_server_duration_seconds_count{method='a/Get',code='INTERNAL'}": "0+0.05x{N}",
    "rapport_rpc_calls_total{caller='billing',method='a/Get',code='OK'}": "0x{N}",
    "rapport_work_outcomes_total{kind='k',verdict='DONE'}": "0x{N}",
    "rapport_work_outcomes_total{kind='k',verdict='LATER'}": "0+0.3x{N}",  # one alone, every few minutes
    "rapport_rpc_calls_total{caller='billing',method='a/Get',code='PERMISSION_DENIED'}": "0+1x{N}",
}


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool: install Debian's package `prometheus`")
    return found


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def groups(render: Render, chart: str, values: Object | None = None) -> list[Object]:
    [rule] = [each for each in render(chart, values or CHARTS[chart]) if each["kind"] == "PrometheusRule"]
    found = rule["spec"]["groups"]
    assert isinstance(found, list)
    return found


def alerts(render: Render, chart: str) -> dict[str, Object]:
    rules = [rule for group in groups(render, chart) for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def case(
    chart: str, name: str, changed: dict[str, str], fires: Iterable[str], *, slowly: bool = False
) -> Object:
    """One of promtool's tests: whatever is well, but for what is changed; and what fires then, exactly."""
    minutes, steps = (30, 160) if slowly else (1, 120)
    series = []
    for key, values in (WELL | changed).items():
        metric, _, labels = key.rstrip("}").partition("{")
        of = ",".join(filter(None, [f"namespace='crm',job='{chart}'", labels]))
        series.append({"series": f"{metric}{{{of}}}", "values": values.replace("{N}", str(steps))})
    expected = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minutes * steps}m",
        "exp_samples": [{"labels": f'{{alertname="{each}"}}', "value": 1} for each in fires],
    }
    return {"name": name, "interval": f"{minutes}m", "input_series": series, "promql_expr_test": [expected]}


def passes(promtool: str, folder: Path, rules: list[Object], every: str, tests: list[Object]) -> str:
    """What promtool says against it, nothing when it passes."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rules}))
    told = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(told))
    done = subprocess.run(
        [promtool, "test", "rules", "tests.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def together(ills: dict[str, dict[str, str]], names: Iterable[str]) -> dict[str, str]:
    return {series: values for name in names for series, values in ills[name].items()}


def test_each_alert_fires_when_it_should_and_none_when_all_is_well(
    render: Render, promtool: str, chart: str, tmp_path: Path
) -> None:
    names = ILL.keys() & alerts(render, chart)
    burnt = {name.replace("Burns", "AtRisk") for name in names if name.endswith("Burns")}
    tests = [
        case(chart, "ill", together(ILL, names), {*names, *burnt}),
        case(chart, "well", {}, []),
        case(chart, "a quiet hour", QUIET_HOUR, []),
    ]
    assert passes(promtool, tmp_path, groups(render, chart), "5m", tests) == ""


def test_a_budget_that_is_spent_slowly_is_noticed_within_days(
    render: Render, promtool: str, tmp_path: Path
) -> None:
    names = SLOWLY.keys() & alerts(render, "cases")
    tests = [
        case("cases", "slowly", together(SLOWLY, names), names, slowly=True),
        case("cases", "well", {}, [], slowly=True),
    ]
    assert passes(promtool, tmp_path, groups(render, "cases"), "30m", tests) == ""


def test_a_threshold_that_is_changed_is_noticed(render: Render, promtool: str, tmp_path: Path) -> None:
    """Or the tests above prove nothing."""
    rules = yaml.safe_load(yaml.safe_dump(groups(render, "cases")))
    [outbox] = [rule for group in rules for rule in group["rules"] if rule.get("alert") == "RapportOutboxOld"]
    outbox["expr"] = outbox["expr"].replace("> 60", "> 6000000")
    tests = [case("cases", "old", ILL["RapportOutboxOld"], ["RapportOutboxOld"])]
    assert "RapportOutboxOld" in passes(promtool, tmp_path, rules, "5m", tests)


def test_every_alert_is_tested_and_has_a_runbook_and_no_runbook_is_of_none(render: Render) -> None:
    defined = {name for chart in CHARTS for name in alerts(render, chart)}
    assert defined == set(ILL) | set(SLOWLY)
    assert defined == {page.stem for page in RUNBOOKS.glob("Rapport*.md")}


def test_alerts_ask_for_metrics_that_exist(render: Render) -> None:
    exist = {name for family in families() for name in family.series}
    for chart in CHARTS:
        for group in groups(render, chart):
            for rule in group["rules"]:
                asked = set(re.findall(r"\b(?:rapport|rpc|http)_[a-z_]+", rule["expr"]))
                recorded = set(re.findall(r"rapport:(\w+?):", rule["expr"]))
                assert asked - {f"{part}" for part in recorded} <= exist


def test_every_alert_says_in_which_namespace(render: Render) -> None:
    """A trial and production are not one alert, and its commands are of a namespace."""
    every = [each for chart in CHARTS for each in alerts(render, chart).values()]
    assert {each["labels"]["namespace"] for each in every} == {"crm"}


def test_an_alert_links_its_runbook_where_somebody_says_where_they_are(render: Render) -> None:
    values = {"prometheusRule": {"enabled": True, "runbooks": "https://docs.example.org/runbooks"}}
    for group in groups(render, "cases", values):
        for rule in group["rules"]:
            if "alert" in rule:
                link = f"https://docs.example.org/runbooks/{rule['alert']}.md"
                assert rule["annotations"]["runbook_url"] == link
    assert "runbook_url" not in yaml.safe_dump(groups(render, "cases"))


def test_a_departments_own_rules_stand_beside_the_others(render: Render) -> None:
    own = {"alert": "BillingStuck", "expr": "billing_open > 9"}
    values = {"prometheusRule": {"enabled": True, "rules": [own]}}
    assert own in groups(render, "service", values)[-1]["rules"]
