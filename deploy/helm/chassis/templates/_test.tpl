{{/*
`helm test`: the service itself, everybody whom it calls, and what else it reaches, such as the mail server, each asked as
the service would ask: with its settings, its token, its certificates, under its NetworkPolicy.
*/}}
{{- define "chassis.v1.test" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "chassis.v1.fullname" . }}-test
  labels: {{- include "chassis.v1.labels" (dict "root" . "component" "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    {{- /* Not once it has succeeded: Helm reads what it wrote, for --logs, after that. */}}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "chassis.v1.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {{- include "chassis.v1.podSecurityContext" . | nindent 4 }}
  {{- with include "chassis.v1.placement" . }}{{ . | nindent 2 }}{{ end }}
  containers:
    - name: check
      image: {{ include "chassis.v1.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [python, -m, {{ include "chassis.v1.name" . | quote }}, check]
      args: ["dns:///{{ include "chassis.v1.fullname" . }}:{{ .Values.port }}"]
      securityContext: {{- include "chassis.v1.securityContext" . | nindent 8 }}
      {{- include "chassis.v1.environment" . | nindent 6 }}
      resources: {{- toYaml .Values.setup.resources | nindent 8 }}
      volumeMounts: {{- include "chassis.v1.volumeMounts" . | nindent 8 }}
  volumes: {{- include "chassis.v1.volumes" . | nindent 4 }}
{{- end -}}
