{{/* Not empty when there is more than one replica: a budget over a single one would block every drain of its node. */}}
{{- define "chassis.v1.replicated" -}}
{{- $fixed := ternary 2 .Values.replicas (kindIs "invalid" .Values.replicas) -}}
{{- $least := ternary .Values.autoscaling.minReplicas $fixed .Values.autoscaling.enabled -}}
{{- if gt (int $least) 1 }}yes{{ end -}}
{{- end -}}

{{- define "chassis.v1.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "chassis.v1.fullname" . }}
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
  name: {{ include "chassis.v1.fullname" . }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "chassis.v1.fullname" . }}
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
