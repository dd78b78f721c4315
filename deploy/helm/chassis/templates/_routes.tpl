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

{{/* Takes `root`, `value` (ingress or customerPages), `suffix` of its name and the `path` it leads to. */}}
{{- define "chassis.v1.ingress" -}}
{{- $values := get .root.Values .value -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ printf "%s%s" (include "chassis.v1.fullname" .root) .suffix | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .root) | nindent 4 }}
  {{- with $values.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $values.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  rules:
    - host: {{ $values.host | quote }}
      http:
        paths:
          - path: {{ .path }}
            pathType: Prefix
            backend:
              service:
                name: {{ include "chassis.v1.fullname" .root | quote }}
                port:
                  name: web
  {{- with $values.tlsSecret }}
  tls:
    - hosts: [{{ $values.host | quote }}]
      secretName: {{ . | quote }}
  {{- end }}
{{- end -}}
