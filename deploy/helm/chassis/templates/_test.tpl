{{/* `helm test`: a gRPC health call through the Service's name, from the service's own image. */}}
{{- define "chassis.v1.test" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "chassis.v1.fullname" . }}-test
  labels: {{- include "chassis.v1.labels" (dict "root" . "component" "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext: {{- include "chassis.v1.podSecurityContext" . | nindent 4 }}
  {{- with include "chassis.v1.placement" . }}{{ . | nindent 2 }}{{ end }}
  containers:
    - name: health
      image: {{ include "chassis.v1.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command:
        - python
        - -c
        - |
          import grpc
          from grpc_health.v1 import health_pb2, health_pb2_grpc
          address = "{{ include "chassis.v1.fullname" . }}:{{ .Values.port }}"
          {{- if include "chassis.v1.tlsSecret" . }}
          ca, key, own = (open(f"/etc/rapport/tls/{name}", "rb").read() for name in ("ca.crt", "tls.key", "tls.crt"))
          opened = grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, own))
          {{- else }}
          opened = grpc.insecure_channel(address)
          {{- end }}
          with opened as channel:
              request = health_pb2.HealthCheckRequest()
              answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=30, wait_for_ready=True)
          assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
      securityContext: {{- include "chassis.v1.securityContext" . | nindent 8 }}
      resources: {{- toYaml .Values.setup.resources | nindent 8 }}
  {{- with include "chassis.v1.tlsSecret" . }}
      volumeMounts:
        - name: tls
          mountPath: /etc/rapport/tls
          readOnly: true
  volumes:
    - name: tls
      secret:
        secretName: {{ . }}
  {{- end }}
{{- end -}}
