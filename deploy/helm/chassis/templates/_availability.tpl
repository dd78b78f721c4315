{{/* Not empty when there is more than one replica: a budget over a single one would block every drain of its node. */}}
{{- define "chassis.v1.replicated" -}}
{{- $fixed := ternary 2 .Values.replicas (kindIs "invalid" .Values.replicas) -}}
{{- $least := $fixed -}}
{{- range list .Values.autoscaling .Values.keda }}{{ if .enabled }}{{ $least = .minReplicas }}{{ end }}{{ end -}}
{{- if gt (int $least) 1 }}yes{{ end -}}
{{- end -}}

{{- define "chassis.v1.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "chassis.v1.selector" . | nindent 6 }}
{{- end -}}

{{- define "chassis.v1.horizontalPodAutoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "chassis.v1.fullname" . | quote }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.targetCPUUtilizationPercentage }}
{{- end -}}

{{/* KEDA asks each NATS server for the state of the consumers, and makes an autoscaler of its own from the answers. */}}
{{- define "chassis.v1.scaledObject" -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "chassis.v1.fullname" . | quote }}
  minReplicaCount: {{ .Values.keda.minReplicas }}
  maxReplicaCount: {{ .Values.keda.maxReplicas }}
  triggers:
    {{- range .Values.keda.consumers }}
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: {{ $.Values.keda.monitoring | default (printf "nats-cluster.%s.svc:8222" $.Release.Namespace) }}
        account: {{ $.Values.keda.account | quote }}
        stream: {{ .stream | quote }}
        consumer: {{ .durable | quote }}
        lagThreshold: {{ $.Values.keda.lag | quote }}
    {{- end }}
{{- end -}}
