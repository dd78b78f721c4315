{{/* The commands that run before every install and upgrade, in order. */}}
{{- define "chassis.v1.setupCommands" -}}
{{- if .Values.setup.migrate }}migrate {{ end }}{{ if .Values.setup.provision }}provision{{ end -}}
{{- end -}}

{{/*
Migrations, then streams and consumers, as a hook before the release. It uses nothing that the release creates: on a
first install none of it exists yet. Its pods carry another component than the Service selects.
*/}}
{{- define "chassis.v1.setupJob" -}}
{{- $commands := splitList " " (include "chassis.v1.setupCommands" . | trim) -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "chassis.v1.fullname" . }}-setup
  labels: {{- include "chassis.v1.labels" (dict "root" . "component" "setup") | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-5"
    {{- /* Once the release has failed or was rolled back, nothing must migrate. Helm prints what it wrote (3.18, before). */}}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
    helm.sh/hook-output-log-policy: hook-failed
spec:
  backoffLimit: {{ .Values.setup.backoffLimit }}
  activeDeadlineSeconds: {{ .Values.setup.activeDeadlineSeconds }}
  template:
    metadata:
      labels: {{- include "chassis.v1.labels" (dict "root" . "component" "setup") | nindent 8 }}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: {{- include "chassis.v1.podSecurityContext" . | nindent 8 }}
      {{- with include "chassis.v1.placement" . }}{{ . | nindent 6 }}{{ end }}
      {{- with initial $commands }}
      initContainers:
        {{- range . }}
        {{- include "chassis.v1.setupContainer" (dict "root" $ "command" .) | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        {{- include "chassis.v1.setupContainer" (dict "root" . "command" (last $commands)) | nindent 8 }}
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- include "chassis.v1.certificateVolumes" (dict "root" . "all" false) | nindent 8 }}
        {{- with .Values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
{{- end -}}

{{- define "chassis.v1.setupContainer" -}}
{{- $values := .root.Values -}}
{{- $urls := include "chassis.v1.urls" .root | fromJson -}}
- name: {{ .command }}
  image: {{ include "chassis.v1.image" .root }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  command: [python, -m, {{ include "chassis.v1.name" .root | quote }}, {{ .command }}]
  securityContext: {{- include "chassis.v1.securityContext" .root | nindent 4 }}
  {{- with $values.settingsSecrets }}
  envFrom:
    {{- range . }}
    - secretRef:
        name: {{ . | quote }}
    {{- end }}
  {{- end }}
  env:
    {{- range $name, $value := include "chassis.v1.config" .root | fromYaml }}
    - name: {{ $name | quote }}
      value: {{ $value | quote }}
    {{- end }}
    {{- include "chassis.v1.secretEnv" (dict "name" "RAPPORT_DATABASE_URL" "secret" $urls.database) | nindent 4 }}
    {{- include "chassis.v1.secretEnv" (dict "name" "RAPPORT_NATS_URL" "secret" $urls.nats) | nindent 4 }}
    {{- range $setting, $secret := $values.settingsFiles }}
    {{- include "chassis.v1.secretEnv" (dict "name" (printf "RAPPORT_%s" (upper $setting)) "secret" $secret) | nindent 4 }}
    {{- end }}
    {{- if eq .command "migrate" }}
    {{- include "chassis.v1.secretEnv" (dict "name" "RAPPORT_DATABASE_OWNER_URL" "secret" (index $urls "database-owner")) | nindent 4 }}
    {{- else }}
    {{- include "chassis.v1.secretEnv" (dict "name" "RAPPORT_NATS_ADMIN_URL" "secret" (index $urls "nats-admin")) | nindent 4 }}
    {{- end }}
    {{- with $values.extraEnv }}{{ toYaml . | nindent 4 }}{{ end }}
  resources: {{- toYaml $values.setup.resources | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    {{- include "chassis.v1.certificateMounts" (dict "root" .root "all" false) | nindent 4 }}
    {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}
