{{/* Every object of a service. A chart's templates are this one include. */}}
{{- define "chassis.v1.all" -}}
{{- include "chassis.v1.validate" . }}
---
{{ include "chassis.v1.configmap" . }}
---
{{ include "chassis.v1.deployment" . }}
---
{{ include "chassis.v1.service" . }}
{{- if and (include "chassis.v1.tlsSecret" .) (include "chassis.v1.tlsIssuer" . | fromJson).name }}
---
{{ include "chassis.v1.certificate" . }}
{{- end }}
{{- if .Values.serviceAccount.create }}
---
{{ include "chassis.v1.serviceAccount" . }}
{{- end }}
{{- if and .Values.podDisruptionBudget.enabled (include "chassis.v1.replicated" .) }}
---
{{ include "chassis.v1.podDisruptionBudget" . }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
---
{{ include "chassis.v1.horizontalPodAutoscaler" . }}
{{- end }}
{{- if .Values.keda.enabled }}
---
{{ include "chassis.v1.scaledObject" . }}
{{- end }}
{{- if .Values.grpcRoute.enabled }}
---
{{ include "chassis.v1.route" (dict "root" . "kind" "GRPCRoute" "value" "grpcRoute" "port" .Values.port) }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
---
{{ include "chassis.v1.route" (dict "root" . "kind" "HTTPRoute" "value" "httpRoute" "port" .Values.webPort) }}
{{- end }}
{{- if .Values.ingress.enabled }}
---
{{ include "chassis.v1.ingress" (dict "root" . "value" "ingress" "suffix" "" "path" "/") }}
{{- end }}
{{- if .Values.customerPages.enabled }}
---
{{ include "chassis.v1.ingress" (dict "root" . "value" "customerPages" "suffix" "-customers" "path" "/c/") }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
---
{{ include "chassis.v1.networkPolicy" . }}
{{- end }}
{{- if include "chassis.v1.setupCommands" . | trim }}
---
{{ include "chassis.v1.setupJob" . }}
{{- end }}
{{- if .Values.serviceMonitor.enabled }}
---
{{ include "chassis.v1.serviceMonitor" . }}
{{- end }}
{{- if .Values.prometheusRule.enabled }}
---
{{ include "chassis.v1.prometheusRule" . }}
{{- end }}
{{- if .Values.test.enabled }}
---
{{ include "chassis.v1.test" . }}
{{- end }}
{{- end -}}

{{- define "chassis.v1.notes" -}}
{{ include "chassis.v1.name" . }} {{ include "chassis.v1.version" . }} is installed in the namespace {{ .Release.Namespace }}.

  Callers:  dns:///{{ include "chassis.v1.fullname" . }}:{{ .Values.port }}
{{- with .Values.webPort }}
  REST:     http://{{ include "chassis.v1.fullname" $ }}:{{ . }}
{{- end }}
  Check:    helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }}
{{- end -}}
