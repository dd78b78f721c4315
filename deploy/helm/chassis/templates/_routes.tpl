{{/*
Ways in from outside the cluster. A gateway balances calls by itself, over the pods that the headless Service lists.
*/}}
{{- define "chassis.v1.route" -}}
{{- $values := get .root.Values .value -}}
apiVersion: gateway.networking.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ include "chassis.v1.fullname" .root | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .root) | nindent 4 }}
spec:
  parentRefs: {{- toYaml $values.parentRefs | nindent 4 }}
  {{- with $values.hostnames }}
  hostnames: {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - backendRefs:
        - name: {{ include "chassis.v1.fullname" .root | quote }}
          port: {{ .port }}
{{- end -}}

{{- define "chassis.v1.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
  {{- with .Values.ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  rules:
    - host: {{ .Values.ingress.host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "chassis.v1.fullname" . | quote }}
                port:
                  name: web
  {{- with .Values.ingress.tlsSecret }}
  tls:
    - hosts: [{{ $.Values.ingress.host | quote }}]
      secretName: {{ . | quote }}
  {{- end }}
{{- end -}}
