{{/* What of a service is alerted on. Each alert has a page in docs/runbooks, and tests of when it fires and when not. */}}
{{- define "chassis.v1.prometheusRule" -}}
{{- $job := include "chassis.v1.fullname" . -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ $job | quote }}
  labels:
    {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
    {{- with .Values.prometheusRule.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  groups:
    {{- include "chassis.v1.objectives" . | nindent 4 }}
    - name: {{ $job | quote }}
      rules:
        {{- include "chassis.v1.alerts" . | nindent 8 }}
        {{- with .Values.prometheusRule.rules }}{{ toYaml . | nindent 8 }}{{ end }}
{{- end -}}

{{/* One alert: (list root name severity for summary expr). */}}
{{- define "chassis.v1.alert" -}}
{{- $root := index . 0 -}}
- alert: {{ index . 1 }}
  expr: {{ index . 5 }}
  for: {{ index . 3 }}
  labels:
    severity: {{ index . 2 }}
    namespace: {{ $root.Release.Namespace | quote }}
    service: {{ include "chassis.v1.fullname" $root | quote }}
  annotations:
    summary: {{ index . 4 | quote }}
    {{- with $root.Values.prometheusRule.runbooks }}
    runbook_url: {{ . }}/{{ index $ 1 }}.md
    {{- end }}
{{- end -}}

{{/*
The share of bad events over each window, of each objective; and alerts on how fast the budget is spent, as in the
Google SRE workbook: 14.4 times over 1 h, 6 times over 6 h (2 % and 5 % of 30 days' budget), once over 3 d. The short
window ends the alert soon after it is over; a few failures at night are no incident.
*/}}
{{- define "chassis.v1.objectives" -}}
{{- $root := . -}}
{{- $job := include "chassis.v1.fullname" . -}}
{{- $match := printf `namespace="%s",job="%s"` .Release.Namespace $job -}}
{{- $slo := .Values.prometheusRule.objectives -}}
{{- $calls := printf `%s,method!~".*/Watch.*"` $match -}}
{{- $faults := printf `%s,code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"` $match -}}
{{- $objectives := list
  (dict "name" "Availability" "record" "rpc_errors" "percent" $slo.availabilityPercent
    "bad" (printf `rpc_server_duration_seconds_count{%s}` $faults)
    "all" (printf `rpc_server_duration_seconds_count{%s}` $match)
    "says" (printf "calls to %s fail through no fault of the caller" $job))
  (dict "name" "Latency" "record" "rpc_slow" "percent" $slo.latencyPercent
    "good" (printf `rpc_server_duration_seconds_bucket{%s,le="0.5"}` $calls)
    "all" (printf `rpc_server_duration_seconds_count{%s}` $calls)
    "says" (printf "calls to %s take more than half a second" $job)) -}}
{{- if eq .Values.name "cases" -}}
{{- $objectives = append $objectives (dict "name" "ToldInTime" "record" "promises_untold" "percent" $slo.toldInTimePercent
    "bad" (printf `rapport_promise_outcomes_total{%s,outcome="broken"}` $match)
    "all" (printf `rapport_promise_outcomes_total{%s,outcome=~"broken|told_in_time"}` $match)
    "says" "promises are broken before their customers are told of a new date") -}}
{{- end -}}
- name: {{ $job }}-objectives
  rules:
    {{- range $objective := $objectives }}
    {{- range $window := list "5m" "30m" "1h" "6h" "3d" }}
    - record: rapport:{{ $objective.record }}:ratio_rate{{ $window }}
      labels:
        namespace: {{ $root.Release.Namespace | quote }}
        job: {{ $job | quote }}
      expr: |-
        {{- if $objective.good }}
        1 - sum(rate({{ $objective.good }}[{{ $window }}])) / (sum(rate({{ $objective.all }}[{{ $window }}])) > 0)
        {{- else }}
        (sum(rate({{ $objective.bad }}[{{ $window }}])) or vector(0)) / (sum(rate({{ $objective.all }}[{{ $window }}])) > 0)
        {{- end }}
    {{- end }}
    {{- $ratio := printf "rapport:%s:ratio_rate" $objective.record }}
    {{- $at := printf "{%s}" $match }}
    {{- $budget := printf "(1 - %v / 100)" $objective.percent }}
    {{- $few := printf "sum(increase(%s[%%[1]s])) > 10" ($objective.bad | default "") }}
    {{- if $objective.good }}
    {{- $few = printf "sum(increase(%s[%%[1]s])) - sum(increase(%s[%%[1]s])) > 10" $objective.all $objective.good }}
    {{- end }}
    {{- $fast := printf "((%s1h%s > 14.4 * %s and %s5m%s > 14.4 * %s) or (%s6h%s > 6 * %s and %s30m%s > 6 * %s)) and on() (%s)" $ratio $at $budget $ratio $at $budget $ratio $at $budget $ratio $at $budget (printf $few "1h") }}
    {{- $slow := printf "%s3d%s > %s and %s6h%s > %s and on() (%s)" $ratio $at $budget $ratio $at $budget (printf $few "3d") }}
    {{- include "chassis.v1.alert" (list $root (printf "Rapport%sBurns" $objective.name) "critical" "2m" (printf "So many %s that a month's budget is gone in days." $objective.says) $fast) | nindent 4 }}
    {{- include "chassis.v1.alert" (list $root (printf "Rapport%sAtRisk" $objective.name) "warning" "1h" (printf "For three days, more %s than the objective allows." $objective.says) $slow) | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "chassis.v1.alerts" -}}
{{- $root := . -}}
{{- $job := include "chassis.v1.fullname" . -}}
{{- $match := printf `namespace="%s",job="%s"` .Release.Namespace $job -}}
{{- $at := printf "{%s}" $match -}}
{{- $alerts := list
  (list "RapportServiceDown" "critical" "2m" (printf "No pod of %s answers." $job)
    (printf `absent(up%s == 1)` $at))
  (list "RapportPodsRestart" "critical" "0m" (printf "A pod of %s has started three times in 15 minutes." $job)
    (printf `max by (pod) (changes(process_start_time_seconds%s[15m])) > 2` $at))
  (list "RapportNotWell" "warning" "5m" (printf "Something is amiss in %s while it serves: /health/ready says it in words." $job)
    (printf `max(rapport_warnings%s) > 0` $at))
  (list "RapportEventLoopBlocked" "warning" "5m" (printf "Something blocks the event loop of %s, which delays every call." $job)
    (printf `max(rapport_event_loop_lag_seconds%s) > 0.25` $at))
  (list "RapportPoolExhausted" "critical" "5m" (printf "Calls to %s are refused because no connection to its database is free." $job)
    (printf `sum(rate(rapport_db_pool_timeouts_total%s[5m])) > 0` $at))
  (list "RapportOutboxOld" "critical" "5m" (printf "What %s commits is not published: other departments do not hear of it." $job)
    (printf `max(rapport_outbox_oldest_seconds%s) > 60` $at))
  (list "RapportEventsLost" "critical" "5m" (printf "The broker lacks events that %s had published." $job)
    (printf `max(rapport_stream_lost%s) > 0` $at))
  (list "RapportEventsLate" "warning" "5m" (printf "What {{ $labels.source }} tells is applied in %s more than five minutes late." $job)
    (printf `max by (consumer, source) (rapport_consumer_lag_seconds%s) > 300` $at))
  (list "RapportDeadLetters" "warning" "5m" (printf "{{ $value }} events are given up on by {{ $labels.consumer }} of %s." $job)
    (printf `max by (consumer) (rapport_events_set_aside{%s,state="DEAD"}) > 0` $match))
  (list "RapportEventsRetried" "warning" "5m" (printf "An event is tried again by {{ $labels.consumer }} of %s for half an hour, or waits for another release." $job)
    (printf `max by (consumer) (rapport_events_set_aside_oldest_seconds{%s,state="PARKED"}) > 1800` $match))
  (list "RapportTimersLate" "critical" "5m" (printf "What %s is to do at a time is more than five minutes late." $job)
    (printf `max(rapport_timers_late_seconds%s) > 300` $at))
  (list "RapportTimersFail" "warning" "30m" (printf "Timers of the kind {{ $labels.kind }} of %s fail again and again." $job)
    (printf `sum by (kind) (rate(rapport_timer_runs_total{%s,outcome="failed"}[15m])) > 0` $match))
  (list "RapportWorkAlarm" "critical" "5m" (printf "Work of the kind {{ $labels.kind }} of %s waits for us to mend something: a login, a quota." $job)
    (printf `max by (kind) (rapport_work_alarms%s) > 0` $at))
  (list "RapportWorkLate" "warning" "15m" (printf "Work of the kind {{ $labels.kind }} of %s was due and is not begun." $job)
    (printf `max by (kind) (rapport_work_overdue%s) > 0` $at))
  (list "RapportWorkFails" "critical" "5m" (printf "Every attempt at work of the kind {{ $labels.kind }} of %s fails: the other side is down." $job)
    (printf `sum by (kind) (increase(rapport_work_outcomes_total{%s,verdict="LATER"}[15m])) > 5 unless sum by (kind) (increase(rapport_work_outcomes_total{%s,verdict="DONE"}[15m])) > 0` $match $match))
  (list "RapportCallerRefused" "warning" "15m" (printf "More than half of what {{ $labels.caller }} asks of %s is refused: it lacks a permission, a valid token, or its share." $job)
    (printf `sum by (caller) (rate(rapport_rpc_calls_total{%s,code=~"PERMISSION_DENIED|UNAUTHENTICATED|RESOURCE_EXHAUSTED"}[15m])) / sum by (caller) (rate(rapport_rpc_calls_total%s[15m])) > 0.5 and sum by (caller) (increase(rapport_rpc_calls_total%s[15m])) > 20` $match $at $at)) -}}
{{- if include "chassis.v1.tlsSecret" . -}}
{{- $ends := printf `min(rapport_certificate_expiry_timestamp_seconds%s > 0) - time()` $at -}}
{{- $alerts = append $alerts (list "RapportCertificateEnds" "warning" "1h" (printf "The certificate of %s ends within 14 days, and no newer one has come." $job)
    (printf `%s < 14 * 86400` $ends)) -}}
{{- $alerts = append $alerts (list "RapportCertificateEndsSoon" "critical" "5m" (printf "The certificate of %s ends within two days: no call to it or from it succeeds then." $job)
    (printf `%s < 2 * 86400` $ends)) -}}
{{- end -}}
{{- if eq .Values.name "customer" -}}
{{- $alerts = append $alerts (list "RapportMatchingLate" "warning" "10m" "Customers who changed are not compared with others for 15 minutes: who came twice is not found."
    (printf `max(rapport_match_queue_oldest_seconds%s) > 900` $at)) -}}
{{- $alerts = append $alerts (list "RapportMatchingFails" "warning" "5m" "Customers cannot be compared with others, each for a fault of ours."
    (printf `sum(increase(rapport_match_failures_total%s[1h])) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportMatchQuestionsOld" "warning" "1h" "Whether two customers are one has been asked for a week, and nobody has answered: the queue of questions grows."
    (printf `max(rapport_match_candidates_oldest_seconds%s) > 7 * 86400` $at)) -}}
{{- $alerts = append $alerts (list "RapportFilesNotScanned" "warning" "15m" "Files of customers wait for the scanner, and for half an hour it has judged none: nobody can open them."
    (printf `max(rapport_work_live{%s,kind="attachment-scan"}) > 0 unless sum(increase(rapport_work_outcomes_total{%s,kind="attachment-scan",verdict="DONE"}[30m])) > 0` $match $match)) -}}
{{- $alerts = append $alerts (list "RapportFilesHarmful" "warning" "0m" "The scanner found something harmful in files of customers, {{ $value }} of them within an hour: they are kept from everybody."
    (printf `sum(increase(rapport_attachments_scanned_total{%s,verdict="INFECTED"}[1h])) > 0` $match)) -}}
{{- end -}}
{{- if eq .Values.name "loyalty" -}}
{{- $alerts = append $alerts (list "RapportLedgerWrong" "critical" "0m" "The ledger of points does not add up: {{ $value }} of the kind {{ $labels.kind }}."
    (printf `max by (kind) (rapport_ledger_faults%s) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportLedgerUnchecked" "warning" "10m" "Nobody has looked through the whole ledger of points for an hour: whether it adds up is not known."
    (printf `max(rapport_ledger_checked_seconds%s) > 3600` $at)) -}}
{{- $alerts = append $alerts (list "RapportLotsLate" "warning" "5m" "Points that should have ended or become usable a quarter of an hour ago have not."
    (printf `max(rapport_lots_late_seconds%s) > 900` $at)) -}}
{{- $alerts = append $alerts (list "RapportRewardsOutOfStock" "warning" "1h" "{{ $value }} rewards are offered, and none of them is left: members cannot have what they saved for."
    (printf `max(rapport_rewards_out_of_stock%s) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportRatesMissing" "warning" "15m" "What customers pay in {{ $labels.currency }} counts for nothing in their value band: there is no rate for it."
    (printf `sum by (currency) (increase(rapport_value_unrated_total%s[6h])) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportGoodwillUnanswered" "warning" "1h" "A request for goodwill has waited for two days, and nobody has said yes or no: a customer who was let down hears nothing."
    (printf `max(rapport_goodwill_request_oldest_seconds%s) > 2 * 86400` $at)) -}}
{{- end -}}
{{- if eq .Values.name "cases" -}}
{{- $alerts = append $alerts (list "RapportClocksMended" "warning" "5m" "Clocks were not as they should be ({{ $labels.flaw }}) and were mended: what was told of them may have been wrong until then."
    (printf `sum by (flaw) (increase(rapport_clocks_mended_total%s[1d])) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportClocksEndless" "warning" "15m" "{{ $value }} clocks run and will never be up: their calendar does not open any more, and nobody is warned of what they measure."
    (printf `max(rapport_clocks_endless%s) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportEscalationsNotTaken" "warning" "30m" "{{ $value }} cases and promises wait for somebody with more authority, and nobody is left to be asked: customers wait for an answer."
    (printf `max(rapport_escalations_open{%s,state="overdue"}) > 0` $match)) -}}
{{- $alerts = append $alerts (list "RapportCallsLate" "warning" "30m" "{{ $value }} customers should have been called by now, and nobody has reached them: they hear too late of what no message tells."
    (printf `max(rapport_calls{%s,state="late"}) > 0` $match)) -}}
{{- $alerts = append $alerts (list "RapportQueueOld" "warning" "1h" "Work has waited for more than a day in the queue of a department, and nobody takes it."
    (printf `max(rapport_queue_oldest_seconds%s) > 86400` $at)) -}}
{{- $queue := printf `max(rapport_queue_work{%s,state="unattended"})` $match -}}
{{- $alerts = append $alerts (list "RapportQueueUnattended" "warning" "15m" "Work is overdue in a department, in its working hours, and nobody of its people is available." (printf `%s > 0` $queue)) -}}
{{- end -}}
{{- if eq .Values.name "notifications" -}}
{{- $facts := printf `rapport_facts_recorded_total{%s,type=~"rapport[.]notifications[.]v1[.]Notice(Failed|Unknown` $match -}}
{{- $alerts = append $alerts (list "RapportNoticesFail" "critical" "5m" "More than one message in twenty is not delivered: customers are not told."
    (printf `sum(increase(%s)"}[1h])) / sum(increase(%s|Sent)"}[1h])) > 0.05 and sum(increase(%s)"}[1h])) > 5` $facts $facts $facts)) -}}
{{- $alerts = append $alerts (list "RapportProviderUnavailable" "critical" "5m" "The provider {{ $labels.provider }} has taken no message for five minutes: customers who are reached by it are not told."
    (printf `max by (provider) (rapport_provider_unavailable%s) > 0` $at)) -}}
{{- $alerts = append $alerts (list "RapportProviderBusy" "warning" "1h" "Messages for the provider {{ $labels.provider }} have waited for its rate for an hour: there is more to send than it may get."
    (printf `max by (provider) (rapport_provider_waiting%s) > 0 unless max by (provider) (rapport_provider_unavailable%s) > 0` $at $at)) -}}
{{- $alerts = append $alerts (list "RapportNoticeJobBlocked" "warning" "5m" "{{ $value }} jobs that send to many customers cannot go on: the others are told nothing until somebody mends and resumes them."
    (printf `max(rapport_notice_jobs{%s,state="blocked"}) > 0` $match)) -}}
{{- $customers := printf `increase(rapport_notice_job_customers_total%s[1h])` $at -}}
{{- $alerts = append $alerts (list "RapportNoticeJobRefused" "warning" "5m" "Of the customers to whom jobs came within an hour more than half were refused: they have been sent too much already."
    (printf `sum(increase(rapport_notice_job_customers_total{%s,outcome="refused"}[1h])) / sum(%s) > 0.5 and sum(%s) > 20` $match $customers $customers)) -}}
{{- $alerts = append $alerts (list "RapportCallsNotMade" "warning" "5m" "{{ $value | humanize }} customers were told bad news by a message within a day, who should have heard it from a person first."
    (printf `sum(increase(rapport_notices_uncalled_total%s[1d])) > 0` $at)) -}}
{{- end -}}
{{- if .Values.webPort -}}
{{- $alerts = append $alerts (list "RapportSlowPages" "warning" "10m" (printf "One page in twenty of %s takes more than a second." $job)
    (printf `histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket%s[5m]))) > 1` $at)) -}}
{{- $alerts = append $alerts (list "RapportFailingPages" "warning" "10m" (printf "More than 1 %% of the pages of %s fail." $job)
    (printf `sum(rate(http_server_request_duration_seconds_count{%s,status=~"5.."}[5m])) / sum(rate(http_server_request_duration_seconds_count%s[5m])) > 0.01` $match $at)) -}}
{{- end -}}
{{- if .Values.settingsFolders.webhooks_dir -}}
{{- $alerts = append $alerts (list "RapportWebhooksWait" "warning" "10m" (printf "What a source of webhooks sent to %s is not recorded for four hours, or waits for a person." $job)
    (printf `max by (source, kind, state) (rapport_webhooks_oldest_seconds%s) > 4 * 3600` $at)) -}}
{{- end -}}
{{- range $alerts }}
{{ include "chassis.v1.alert" (prepend . $root) }}
{{- end }}
{{- end -}}
