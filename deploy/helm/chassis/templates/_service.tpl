{{/*
Headless: clients resolve every pod and balance calls over them (dns:/// and round_robin); a virtual address would pin
each client's one HTTP/2 connection to one pod. Headless bypasses port translation, so the port is the container's.
*/}}
{{- define "chassis.v1.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "chassis.v1.selector" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ .Values.port }}
      targetPort: grpc
      appProtocol: grpc
    - name: http
      port: {{ include "chassis.v1.httpPort" . }}
      targetPort: http
      appProtocol: http
    {{- with .Values.webPort }}
    - name: web
      port: {{ . }}
      targetPort: web
      appProtocol: http
    {{- end }}
    {{- with .Values.mailPort }}
    - name: mail
      port: {{ . }}
      targetPort: mail
    {{- end }}
{{- end -}}

{{- define "chassis.v1.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "chassis.v1.serviceAccountName" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
