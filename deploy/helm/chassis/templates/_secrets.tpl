{{/* Secrets and certificates as files of the pod: what changes there, the service takes while it runs. */}}

{{/* The secret with the certificate that other services are shown; empty without TLS. */}}
{{- define "chassis.v1.tlsSecret" -}}
{{- if or .Values.tls.enabled ((.Values.global | default dict).tls | default dict).enabled -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "chassis.v1.fullname" .)) -}}
{{- end -}}
{{- end -}}

{{/* Who makes that certificate, as JSON: cert-manager's issuer, `name` empty when it is none. */}}
{{- define "chassis.v1.tlsIssuer" -}}
{{- $common := ((.Values.global | default dict).tls | default dict).issuer | default dict -}}
{{- if .Values.tls.existingSecret -}}{{- dict "name" "" | toJson -}}
{{- else -}}{{- ternary .Values.tls.issuer $common (ne .Values.tls.issuer.name "") | toJson -}}{{- end -}}
{{- end -}}

{{/* The cluster whose service accounts are trusted, as JSON: of this service, or of all; `issuer` empty for none. */}}
{{- define "chassis.v1.workloads" -}}
{{- $common := (.Values.global | default dict).workloads | default (dict "issuer" "") -}}
{{- ternary .Values.auth.workloads $common (ne .Values.auth.workloads.issuer "") | toJson -}}
{{- end -}}

{{/* Where the files are, as the service is told. */}}
{{- define "chassis.v1.filesConfig" -}}
{{- $workloads := include "chassis.v1.workloads" . | fromJson -}}
{{- if or .Values.auth.token.existingSecret .Values.auth.token.projected.enabled }}
RAPPORT_TOKEN_FILE: /etc/rapport/token/token
{{- end }}
{{- if $workloads.issuer }}
RAPPORT_CLUSTER_ISSUER: {{ $workloads.issuer | quote }}
RAPPORT_CLUSTER_JWKS_URL: {{ $workloads.jwksUrl | default "file:///etc/rapport/workloads/jwks.json" | quote }}
RAPPORT_CLUSTER_ACCOUNTS: /etc/rapport/workloads/accounts.json
{{- end }}
{{- if include "chassis.v1.tlsSecret" . }}
RAPPORT_TLS_DIR: /etc/rapport/tls
{{- end }}
{{- if .Values.database.tls.existingSecret }}
RAPPORT_DATABASE_TLS_DIR: /etc/rapport/database-tls
{{- end }}
{{- if .Values.nats.tls.existingSecret }}
RAPPORT_NATS_TLS_DIR: /etc/rapport/nats-tls
{{- end }}
{{- end -}}

{{/* The secrets with the URLs that a service is told, as JSON: each as given, or called as the service. */}}
{{- define "chassis.v1.urls" -}}
{{- $given := dict "database" .Values.database "nats" .Values.nats "database-owner" .Values.setup.database "nats-admin" .Values.setup.nats -}}
{{- $named := dict -}}
{{- range $what, $secret := $given -}}
{{- $name := $secret.existingSecret | default (printf "%s-%s" (include "chassis.v1.name" $) $what) -}}
{{- $_ := set $named $what (dict "existingSecret" $name "key" $secret.key) -}}
{{- end -}}
{{- $named | toJson -}}
{{- end -}}

{{/* The settings that the server reads from secrets, as JSON: secret and key of each. */}}
{{- define "chassis.v1.secretFiles" -}}
{{- $urls := include "chassis.v1.urls" . | fromJson -}}
{{- $files := merge (dict "database_url" $urls.database "nats_url" $urls.nats) .Values.settingsFiles -}}
{{- if .Values.signIn.clientSecret.existingSecret -}}
{{- $_ := set $files "oidc_client_secret" .Values.signIn.clientSecret -}}
{{- end -}}
{{- $files | toJson -}}
{{- end -}}

{{/* The variables that name those files. */}}
{{- define "chassis.v1.secretEnvFiles" -}}
{{- range $setting, $_ := include "chassis.v1.secretFiles" . | fromJson }}
- name: RAPPORT_{{ upper $setting }}_FILE
  value: /etc/rapport/secrets/{{ $setting }}/value
{{- end }}
{{- end -}}

{{/* Folders of certificates, by the name of the volume: those of the set-up Job with `all` false. */}}
{{- define "chassis.v1.certificateFolders" -}}
{{- $root := .root -}}
{{- $folders := dict "database-tls" $root.Values.database.tls.existingSecret "nats-tls" $root.Values.nats.tls.existingSecret -}}
{{- if .all -}}
{{- $_ := set $folders "tls" (include "chassis.v1.tlsSecret" $root) -}}
{{- end -}}
{{- range $name, $secret := $folders }}{{ if not $secret }}{{ $_ := unset $folders $name }}{{ end }}{{ end -}}
{{- $folders | toJson -}}
{{- end -}}

{{- define "chassis.v1.certificateMounts" -}}
{{- range $name, $_ := include "chassis.v1.certificateFolders" . | fromJson }}
- name: {{ $name | quote }}
  mountPath: /etc/rapport/{{ $name }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "chassis.v1.certificateVolumes" -}}
{{- range $name, $secret := include "chassis.v1.certificateFolders" . | fromJson }}
- name: {{ $name | quote }}
  secret:
    secretName: {{ $secret | quote }}
{{- end }}
{{- end -}}

{{- define "chassis.v1.secretMounts" -}}
{{- range $setting, $_ := include "chassis.v1.secretFiles" . | fromJson }}
- name: setting-{{ $setting | replace "_" "-" }}
  mountPath: /etc/rapport/secrets/{{ $setting }}
  readOnly: true
{{- end }}
{{- if (include "chassis.v1.workloads" . | fromJson).issuer }}
- name: workloads
  mountPath: /etc/rapport/workloads
  readOnly: true
{{- end }}
{{- include "chassis.v1.certificateMounts" (dict "root" . "all" true) }}
{{- end -}}

{{- define "chassis.v1.secretVolumes" -}}
{{- range $setting, $secret := include "chassis.v1.secretFiles" . | fromJson }}
- name: setting-{{ $setting | replace "_" "-" }}
  secret:
    secretName: {{ $secret.existingSecret | quote }}
    items:
      - key: {{ $secret.key | quote }}
        path: value
{{- end }}
{{- $workloads := include "chassis.v1.workloads" . | fromJson -}}
{{- if $workloads.issuer }}
- name: workloads
  configMap:
    name: {{ $workloads.existingConfigMap | quote }}
{{- end }}
{{- include "chassis.v1.certificateVolumes" (dict "root" . "all" true) }}
{{- end -}}

{{/* cert-manager makes the certificate, by every name that callers use, and a new one in time. */}}
{{- define "chassis.v1.certificate" -}}
{{- $issuer := include "chassis.v1.tlsIssuer" . | fromJson -}}
{{- $name := include "chassis.v1.fullname" . -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ $name | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  secretName: {{ include "chassis.v1.tlsSecret" . | quote }}
  commonName: {{ $name | quote }}
  dnsNames:
    - {{ $name | quote }}
    - {{ $name }}.{{ .Release.Namespace }}
    - {{ $name }}.{{ .Release.Namespace }}.svc
    - {{ $name }}.{{ .Release.Namespace }}.svc.cluster.local
  usages: [server auth, client auth]
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  issuerRef:
    name: {{ $issuer.name | quote }}
    kind: {{ $issuer.kind }}
    group: cert-manager.io
{{- end -}}
