"""Writes the dashboards of Grafana into the infra chart: `make observability` after a change here."""

import json
from typing import Any

from deploy.observability.metrics import ROOT

FOLDER = ROOT / "deploy" / "helm" / "infra" / "dashboards"
ALL = 'namespace="$namespace"'
ONE = ALL + ',job="$service"'
RATE = "[$__rate_interval]"
FAULTS = 'code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"'
BY_ONE = ALL + ',caller=~"$caller"'
CALLED, ANSWERED = "rapport_rpc_calls_total", "rpc_server_duration_seconds"
REFUSED = 'code=~"PERMISSION_DENIED|UNAUTHENTICATED|RESOURCE_EXHAUSTED"'
WRONG = 'code=~"INVALID_ARGUMENT|NOT_FOUND|FAILED_PRECONDITION|ALREADY_EXISTS|ABORTED"'
OVER = 'code="RESOURCE_EXHAUSTED"'
PAGES = "http_server_request_duration_seconds"

Panel = tuple[str, str, str, str]  # title, unit, legend, expression


def quantile(share: float, metric: str, at: str, by: str = "") -> str:
    """The duration that a share of requests does not exceed."""
    grouped = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{{{at}}}{RATE})))"


def legend(by: str) -> str:
    """What tells apart the lines of a panel."""
    return " ".join(f"{{{{{label}}}}}" for label in by.split(", "))


def added(title: str, unit: str, metric: str, by: str, at: str = ALL) -> Panel:
    """A gauge whose replicas are added up."""
    return title, unit, legend(by), f"sum by ({by}) ({metric}{{{at}}})"


def worst(title: str, unit: str, metric: str, by: str, at: str = ALL) -> Panel:
    """A gauge that is the same in every replica."""
    return title, unit, legend(by), f"max by ({by}) ({metric}{{{at}}})"


def rate(title: str, metric: str, by: str, at: str = ALL, unit: str = "reqps") -> Panel:
    """How much a counter grows in a second."""
    return title, unit, legend(by), f"sum by ({by}) (rate({metric}{{{at}}}{RATE}))"


def grown(title: str, metric: str, by: str, at: str = ALL, within: str = "1d") -> Panel:
    """How much a counter has grown."""
    return title, "short", legend(by), f"sum by ({by}) (increase({metric}{{{at}}}[{within}]))"


def share(title: str, metric: str, by: str, of: str, at: str) -> Panel:
    """How much of a counter's growth is of some kind."""
    (*_, some), (*_, all_of_it) = rate(title, metric, by, f"{at},{of}"), rate(title, metric, by, at)
    return title, "percentunit", legend(by), f"{some} / {all_of_it}"


def red(at: str, by: str) -> list[Panel]:
    """Rate, errors and durations of RPCs."""
    timed = at + ',method!~".*/Watch.*"'
    return [
        rate("Calls", f"{ANSWERED}_count", by, at),
        share("Failing through our fault", f"{ANSWERED}_count", by, FAULTS, at),
        ("99 of 100 calls take at most", "s", legend(by), quantile(0.99, ANSWERED, timed, by)),
    ]


OUTCOMES = "rapport_promise_outcomes_total"
PHONED = "rapport_call_outcomes_total"
ACTS = "rapport_authority_acts_total"
MADE = f"sum(increase({PHONED}{{{ALL}"
NOTICES = 'type=~"rapport[.]notifications[.]v1[.]Notice(Sent|Failed|Suppressed|Unknown)"'
ENDED, UNSENT = "rapport_notices_ended_total", 'state!~"sent|delivered"'
ESCALATIONS = 'type=~"rapport[.]cases[.]v1[.]Escalation.*"'
CLOCKS = 'type=~"rapport[.]cases[.]v1[.]Clock(Started|Fulfilled|Breached)"'
FACTS, TOLD = "rapport_facts_recorded_total", f"sum(increase({OUTCOMES}{{{ALL},outcome"
ASKED = "rpc_client_duration_seconds"
POOL = "rapport_db_pool"
OF_SIX_HOURS = f"ratio_rate6h{{{ALL}}}"
DASHBOARDS: dict[str, tuple[str, list[Panel]]] = {
    "overview": (
        "Rapport: overview",
        [
            added("Pods that answer", "short", "up", "job"),
            ("Errors of the last 6 hours", "percentunit", "{{job}}", f"rapport:rpc_errors:{OF_SIX_HOURS}"),
            ("Slow calls of the last 6 hours", "percentunit", "{{job}}", f"rapport:rpc_slow:{OF_SIX_HOURS}"),
            *red(ALL, "job"),
            worst("What is amiss", "short", "rapport_warnings", "job"),
            rate("Refused, by caller", CALLED, "caller", f"{ALL},{REFUSED}"),
        ],
    ),
    "service": (
        "Rapport: one service",
        [
            *red(ONE, "method"),
            rate("Who calls", CALLED, "caller", ONE),
            rate("Calls to others, by how they end", f"{ASKED}_count", "method, code", ONE),
            (
                "99 of 100 calls to others take at most",
                "s",
                "{{method}}",
                quantile(0.99, ASKED, ONE, "method"),
            ),
            added("Database connections", "short", f"{POOL}_connections", "state", ONE),
            ("Waiting for a connection", "short", "{{pod}}", f"{POOL}_waiting{{{ONE}}}"),
            ("Event loop late by", "s", "{{pod}}", f"rapport_event_loop_lag_seconds{{{ONE}}}"),
            ("Memory", "bytes", "{{pod}}", f"process_resident_memory_bytes{{{ONE}}}"),
            ("CPU", "short", "{{pod}}", f"rate(process_cpu_seconds_total{{{ONE}}}{RATE})"),
        ],
    ),
    "callers": (
        "Rapport: who calls what",
        [
            grown("Calls a day", CALLED, "caller, job", BY_ONE),
            rate("Calls", CALLED, "method", BY_ONE),
            rate("Calls, by how they end", CALLED, "caller, code", BY_ONE),
            grown("Refused a day, and why", CALLED, "caller, method, code", f"{BY_ONE},{REFUSED}"),
            grown("Wrong requests a day", CALLED, "caller, method, code", f"{BY_ONE},{WRONG}"),
            share("Share refused for its quota", CALLED, "caller", OVER, BY_ONE),
        ],
    ),
    "events": (
        "Rapport: events, timers and work",
        [
            worst("Oldest fact that is not published", "s", "rapport_outbox_oldest_seconds", "job"),
            worst("Facts that are not published", "short", "rapport_outbox_unpublished", "job"),
            worst("Consumers are behind by", "s", "rapport_consumer_lag_seconds", "consumer"),
            worst("Events that wait", "short", "rapport_consumer_pending_events", "consumer"),
            rate(
                "Events, by what became of them",
                "rapport_consumer_events_total",
                "consumer, outcome",
                unit="short",
            ),
            worst("Set aside", "short", "rapport_events_set_aside", "consumer, state"),
            worst("Oldest set aside", "s", "rapport_events_set_aside_oldest_seconds", "consumer, state"),
            worst("Timers late by", "s", "rapport_timers_late_seconds", "job"),
            worst("Work under way", "short", "rapport_work_live", "kind, state"),
            worst("Work that waits for us", "short", "rapport_work_alarms", "kind"),
            worst("Work overdue", "short", "rapport_work_overdue", "kind"),
            worst("Providers that take no messages", "short", "rapport_provider_unavailable", "provider"),
            worst("Notices that wait for a provider", "short", "rapport_provider_waiting", "provider"),
            grown("Put off for it a day", "rapport_notices_deferred_total", "provider, reason"),
        ],
    ),
    "business": (
        "Rapport: promises and customers",
        [
            worst("Promises under way", "short", "rapport_promises_live", "state"),
            worst("Work in the queues", "short", "rapport_queue_work", "state"),
            ("Longest wait in the queues", "s", "oldest", f"max(rapport_queue_oldest_seconds{{{ALL}}})"),
            grown("Promises a day, by how they end", OUTCOMES, "outcome"),
            (
                "Told before the promise broke, of a week",
                "percentunit",
                "told in time",
                f'{TOLD}="told_in_time"}}[7d])) / {TOLD}=~"told_in_time|broken"}}[7d]))',
            ),
            worst("Calls to customers that are not over", "short", "rapport_calls", "state"),
            grown("Attempts to call customers a day, by what became of them", PHONED, "outcome"),
            (
                "Reached, of the attempts of a week",
                "percentunit",
                "reached",
                f'{MADE},outcome="reached"}}[7d])) / {MADE}}}[7d]))',
            ),
            grown(
                "Customers who may be one, a day, by what became of them",
                "rapport_match_outcomes_total",
                "outcome",
            ),
            (
                "Questions whether two are one",
                "short",
                "waiting",
                f"max(rapport_match_candidates_waiting{{{ALL}}})",
            ),
            ("Oldest of them", "s", "oldest", f"max(rapport_match_candidates_oldest_seconds{{{ALL}}})"),
            (
                "Customers who are one with another",
                "percentunit",
                "consolidated",
                f"max(rapport_match_consolidation_ratio{{{ALL}}})",
            ),
            ("Changes not compared yet", "short", "changes", f"max(rapport_match_queue_changes{{{ALL}}})"),
            grown("Advice a day that was given", "rapport_advice_shown_total", "kind"),
            grown("Advice a day, by what became of it", "rapport_advice_answers_total", "kind, outcome"),
            worst(
                "Files that wait for the scanner",
                "short",
                "rapport_work_live",
                "state",
                f'{ALL},kind="attachment-scan"',
            ),
            grown("Files scanned a day, by what was found", "rapport_attachments_scanned_total", "verdict"),
            worst("Escalations that nobody has taken", "short", "rapport_escalations_open", "state"),
            grown("Escalations a day, by what became of them", FACTS, "type", f"{ALL},{ESCALATIONS}"),
            grown("What people did alone a day, or were refused", ACTS, "act, outcome"),
            grown("Points and days a day that people gave alone", "rapport_authority_used_total", "act"),
            (
                "Requests for goodwill that wait",
                "short",
                "waiting",
                f"max(rapport_goodwill_requests{{{ALL}}})",
            ),
            ("Oldest of them", "s", "oldest", f"max(rapport_goodwill_request_oldest_seconds{{{ALL}}})"),
            worst("Faults of the ledger of points", "short", "rapport_ledger_faults", "kind"),
            ("Points late to end or be usable", "s", "late", f"max(rapport_lots_late_seconds{{{ALL}}})"),
            grown("Points a day by earning rule", "rapport_earning_points_total", "earning_rule, kind"),
            grown("Purchases a day that reached a cap", "rapport_earning_capped_total", "earning_rule"),
            grown("Purchases a day of whom no rate is known", "rapport_value_unrated_total", "currency"),
            ("Ledger looked through", "s", "ago", f"max(rapport_ledger_checked_seconds{{{ALL}}})"),
            grown("Clocks a day, by what became of them", FACTS, "type", f"{ALL},{CLOCKS}"),
            ("Clocks that will never be up", "short", "endless", f"max(rapport_clocks_endless{{{ALL}}})"),
            grown("Clocks a day that were mended", "rapport_clocks_mended_total", "flaw"),
            grown("Messages an hour", FACTS, "type", f"{ALL},{NOTICES}", "1h"),
            grown("Messages a day that were not sent, and why", ENDED, "state, reason", f"{ALL},{UNSENT}"),
            worst("Jobs that send to many", "short", "rapport_notice_jobs", "state"),
            grown("Customers to whom jobs came, a day", "rapport_notice_job_customers_total", "outcome"),
            (
                "Bad news a day that came before a call",
                "short",
                "messages",
                f"sum(increase(rapport_notices_uncalled_total{{{ALL}}}[1d]))",
            ),
            (
                "Facts an hour, the ten most frequent",
                "short",
                "{{type}}",
                f"topk(10, sum by (type) (increase({FACTS}{{{ALL}}}[1h])))",
            ),
        ],
    ),
    "desk": (
        "Rapport: desk",
        [
            rate("Pages", f"{PAGES}_count", "route"),
            ("19 of 20 pages take at most", "s", "{{route}}", quantile(0.95, PAGES, ALL, "route")),
            rate("Failing pages", f"{PAGES}_count", "route", f'{ALL},status=~"5.."'),
            ("Browsers that watch", "short", "browsers", f"sum(rapport_live_viewers{{{ALL}}})"),
            rate(
                "Webhooks, by what became of them",
                "rapport_webhooks_received_total",
                "source, outcome",
                unit="short",
            ),
            worst("Webhooks that wait", "short", "rapport_webhooks_live", "source, state"),
            worst("Oldest webhook that waits", "s", "rapport_webhooks_oldest_seconds", "source, state"),
        ],
    ),
}


def dashboard(name: str) -> dict[str, Any]:
    """One dashboard as Grafana has it."""
    title, panels = DASHBOARDS[name]
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        _variable("namespace", "label_values(rapport_warnings, namespace)"),
    ]
    if name == "service":
        variables.append(_variable("service", f"label_values(rapport_warnings{{{ALL}}}, job)"))
    if name == "callers":
        found = _variable("caller", f"label_values({CALLED}{{{ALL}}}, caller)")
        variables.append(found | {"multi": True, "includeAll": True})
    return {
        "uid": f"rapport-{name}",
        "title": title,
        "tags": ["rapport"],
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables},
        "links": [{"type": "dashboards", "tags": ["rapport"], "title": "Rapport", "asDropdown": True}],
        "panels": [_panel(number, *panel) for number, panel in enumerate(panels)],
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {"name": name, "type": "query", "datasource": source, "query": query, "refresh": 2}


def _panel(number: int, title: str, unit: str, legend: str, expr: str) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": number % 3 * 8, "y": number // 3 * 8, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": expr, "legendFormat": legend, "exemplar": "_bucket" in expr}],
    }


def files() -> dict[str, str]:
    """Each file and its content."""
    return {f"{name}.json": json.dumps(dashboard(name), indent=1) + "\n" for name in DASHBOARDS}


if __name__ == "__main__":
    for file, content in files().items():
        (FOLDER / file).write_text(content)
