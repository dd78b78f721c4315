{{/* The restricted Pod Security Standard. Not a value: no service needs less. */}}
{{- define "chassis.v1.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "chassis.v1.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where pods may run and whose images they pull: the same for the server, the set-up Job and the test. */}}
{{- define "chassis.v1.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The variables of the server. */}}
{{- define "chassis.v1.environment" -}}
envFrom:
  - configMapRef:
      name: {{ include "chassis.v1.fullname" . | quote }}
  {{- range .Values.settingsSecrets }}
  - secretRef:
      name: {{ . | quote }}
  {{- end }}
env:
  {{- include "chassis.v1.secretEnvFiles" . | nindent 2 }}
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: OTEL_RESOURCE_ATTRIBUTES
    value: service.namespace=rapport,service.version={{ include "chassis.v1.version" . }},service.instance.id=$(POD_NAME),k8s.namespace.name={{ .Release.Namespace }}
  {{- with .Values.extraEnv }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}

{{/* The mounts of the server: scratch space, the token for other services, the issuer's keys when they are a file. */}}
{{- define "chassis.v1.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- include "chassis.v1.secretMounts" . }}
{{- if or .Values.auth.token.existingSecret .Values.auth.token.projected.enabled }}
- name: token
  mountPath: /etc/rapport/token
  readOnly: true
{{- end }}
{{- if include "chassis.v1.jwksFile" . }}
- name: jwks
  mountPath: /etc/rapport/jwks
  readOnly: true
{{- end }}
{{- range $key, $_ := .Values.settingsFolders }}
- name: folder-{{ $key | replace "_" "-" }}
  mountPath: /etc/rapport/folders/{{ $key }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{- define "chassis.v1.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- include "chassis.v1.secretVolumes" . }}
{{- with .Values.auth.token }}
{{- if .projected.enabled }}
- name: token
  projected:
    sources:
      - serviceAccountToken:
          audience: rapport
          expirationSeconds: {{ .projected.expirationSeconds }}
          path: token
{{- else if .existingSecret }}
- name: token
  secret:
    secretName: {{ .existingSecret | quote }}
    items:
      - key: {{ .key | quote }}
        path: token
{{- end }}
{{- end }}
{{- if include "chassis.v1.jwksFile" . }}
- name: jwks
  configMap:
    name: {{ .Values.auth.jwks.existingConfigMap | quote }}
    items:
      - key: {{ .Values.auth.jwks.key | quote }}
        path: jwks.json
{{- end }}
{{- range $key, $secret := .Values.settingsFolders }}
- name: folder-{{ $key | replace "_" "-" }}
  secret:
    secretName: {{ $secret | quote }}
{{- end }}
{{- with .Values.extraVolumes }}{{ toYaml . | nindent 0 }}{{ end }}
{{- end -}}

{{/* Not empty when the issuer's keys come from a ConfigMap. */}}
{{- define "chassis.v1.jwksFile" -}}
{{- if not (or .Values.auth.jwks.url (.Values.global | default dict).jwksUrl) }}yes{{ end -}}
{{- end -}}
