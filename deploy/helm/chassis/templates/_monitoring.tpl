{{- define "chassis.v1.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "chassis.v1.fullname" . }}
  labels:
    {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
    {{- with .Values.serviceMonitor.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  selector:
    matchLabels: {{- include "chassis.v1.selector" . | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: {{ .Values.serviceMonitor.interval }}
{{- end -}}

{{- define "chassis.v1.prometheusRule" -}}
{{- $job := include "chassis.v1.fullname" . -}}
{{- $match := printf `namespace="%s",job="%s"` .Release.Namespace $job -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ $job }}
  labels:
    {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
    {{- with .Values.prometheusRule.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  groups:
    - name: {{ $job }}
      rules:
        - alert: RapportServiceDown
          expr: absent(up{ {{- $match -}} } == 1)
          for: 2m
          labels:
            severity: critical
          annotations:
            summary: No pod of {{ $job }} answers.
        - alert: RapportServerErrors
          expr: |
            sum(rate(rpc_server_duration_seconds_count{ {{- $match }},code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"}[5m]))
              / sum(rate(rpc_server_duration_seconds_count{ {{- $match -}} }[5m])) > 0.01
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: More than 1 % of the calls to {{ $job }} fail through no fault of the caller.
        - alert: RapportSlowCalls
          expr: |
            histogram_quantile(0.99, sum by (le) (rate(rpc_server_duration_seconds_bucket{ {{- $match }},method!~".*/Watch.*"}[5m]))) > 1
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: One call in a hundred to {{ $job }} takes more than a second.
        {{- if .Values.webPort }}
        - alert: RapportSlowPages
          expr: |
            histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{ {{- $match -}} }[5m]))) > 1
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: One page in twenty of {{ $job }} takes more than a second.
        - alert: RapportFailingPages
          expr: |
            sum(rate(http_server_request_duration_seconds_count{ {{- $match }},status=~"5.."}[5m]))
              / sum(rate(http_server_request_duration_seconds_count{ {{- $match -}} }[5m])) > 0.01
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: More than 1 % of the pages of {{ $job }} fail.
        {{- end }}
        - alert: RapportEventLoopBlocked
          expr: max(event_loop_lag_seconds{ {{- $match -}} }) > 0.25
          for: 5m
          labels:
            severity: warning
          annotations:
            summary: Something blocks the event loop of {{ $job }}, which delays every call.
        {{- if .Values.settingsFolders.webhooks_dir }}
        - alert: RapportWebhooksWait
          expr: max by (source, kind, state) (webhooks_oldest_s{ {{- $match -}} }) > 4 * 3600
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: What a source of webhooks sent to {{ $job }} is not recorded for four hours, or waits for a person.
        {{- end }}
{{- end -}}
