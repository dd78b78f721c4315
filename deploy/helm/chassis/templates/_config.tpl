{{/* The environment that is no secret, as a map. The ConfigMap holds it; the set-up Job, which runs before, inlines it. */}}
{{- define "chassis.v1.config" -}}
{{- $global := .Values.global | default dict -}}
{{- $jwks := .Values.auth.jwks.url | default $global.jwksUrl -}}
{{- $endpoint := .Values.telemetry.endpoint | default $global.otlpEndpoint -}}
RAPPORT_SERVICE: {{ include "chassis.v1.name" . | quote }}
RAPPORT_GRPC_PORT: {{ .Values.port | quote }}
RAPPORT_HTTP_PORT: {{ include "chassis.v1.httpPort" . | quote }}
{{- with .Values.webPort }}
RAPPORT_WEB_PORT: {{ . | quote }}
{{- end }}
{{- with .Values.mailPort }}
RAPPORT_MAIL_PORT: {{ . | quote }}
{{- end }}
RAPPORT_JWKS_URL: {{ $jwks | default "file:///etc/rapport/jwks/jwks.json" | quote }}
RAPPORT_ISSUER: {{ .Values.auth.issuer | default $global.issuer | default "rapport" | quote }}
{{- with .Values.signIn.clientId }}
RAPPORT_PUBLIC_URL: {{ $.Values.signIn.publicUrl | quote }}
RAPPORT_OIDC_CLIENT_ID: {{ . | quote }}
{{- end }}
RAPPORT_POOL_SIZE: {{ .Values.database.poolSize | quote }}
RAPPORT_REPLICAS: {{ int .Values.setup.streamReplicas | quote }}
RAPPORT_STREAM_GIB: {{ int .Values.setup.streamGiB | quote }}
RAPPORT_KEEP_CAUSES_DAYS: {{ int .Values.setup.keepCausesDays | quote }}
RAPPORT_KEEP_AUDIT_DAYS: {{ int .Values.setup.keepAuditDays | quote }}
RAPPORT_DRAIN_WAIT_S: {{ .Values.drain.waitSeconds | quote }}
RAPPORT_STARTUP_TIMEOUT_S: {{ .Values.startupSeconds | quote }}
RAPPORT_LOG_LEVEL: {{ .Values.logLevel }}
RAPPORT_LOG_FORMAT: json
{{- with .Values.peers }}
RAPPORT_PEERS: {{ toJson . | quote }}
{{- end }}
{{- with .Values.sources }}
RAPPORT_SOURCES: {{ join "," . | quote }}
{{- end }}
{{- include "chassis.v1.filesConfig" . }}
OTEL_SERVICE_NAME: {{ include "chassis.v1.name" . | quote }}
{{- with $endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
OTEL_TRACES_SAMPLER: parentbased_traceidratio
OTEL_TRACES_SAMPLER_ARG: {{ $.Values.telemetry.sampleRatio | quote }}
{{- end }}
{{- range $key, $_ := .Values.settingsFolders }}
RAPPORT_{{ upper $key }}: /etc/rapport/folders/{{ $key }}
{{- end }}
{{- range $key, $value := .Values.settings }}
RAPPORT_{{ upper $key }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "chassis.v1.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
data: {{- include "chassis.v1.config" . | nindent 2 }}
{{- end -}}

{{/* One variable from a key of a secret that exists already. */}}
{{- define "chassis.v1.secretEnv" -}}
- name: {{ .name | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret.existingSecret | quote }}
      key: {{ .secret.key | quote }}
{{- end -}}
