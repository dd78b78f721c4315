{{/* Who may reach the pods, and what they may reach. Everything else is denied. */}}
{{- define "chassis.v1.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  {{- /* The pod of `helm test` too, or it would prove nothing of what the server may reach. */}}
  podSelector:
    matchLabels: {{- omit (include "chassis.v1.selector" . | fromYaml) "app.kubernetes.io/component" | toYaml | nindent 6 }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: [server, test]
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: rapport
        {{- include "chassis.v1.departments" . | nindent 8 }}
        {{- with .Values.networkPolicy.callers }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        - port: grpc
    {{- if .Values.webPort }}
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: rapport
        {{- with .Values.networkPolicy.webCallers }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        - port: web
    {{- end }}
    {{- if and .Values.mailPort .Values.networkPolicy.mailServers }}
    - from: {{- toYaml .Values.networkPolicy.mailServers | nindent 8 }}
      ports:
        - port: mail
    {{- end }}
    {{- with .Values.networkPolicy.scrapers }}
    - from: {{- toYaml . | nindent 8 }}
      ports:
        - port: http
    {{- end }}
  egress:
    - ports:
        {{- range .Values.networkPolicy.dnsPorts }}
        - port: {{ . }}
          protocol: UDP
        - port: {{ . }}
          protocol: TCP
        {{- end }}
    - to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: rapport
        {{- include "chassis.v1.departments" . | nindent 8 }}
    {{- with .Values.networkPolicy.egressPorts }}
    - ports: {{- range . }}
        - port: {{ . }}
        {{- end }}
      {{- with $.Values.networkPolicy.egressTo }}
      to: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- with .Values.networkPolicy.egress }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end -}}

{{/* The pods of Rapport in other namespaces: departments that call, and are called. */}}
{{- define "chassis.v1.departments" -}}
{{- range .Values.networkPolicy.namespaces }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . | quote }}
  podSelector:
    matchLabels:
      app.kubernetes.io/part-of: rapport
{{- end }}
{{- end -}}
