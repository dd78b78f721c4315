{{- define "chassis.v1.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "chassis.v1.fullname" . | quote }}
  labels: {{- include "chassis.v1.labels" (dict "root" .) | nindent 4 }}
spec:
  {{- /* With an autoscaler the number is its own: two managers of one field refuse each other's upgrades. */}}
  {{- if not (or .Values.autoscaling.enabled .Values.keda.enabled (kindIs "invalid" .Values.replicas)) }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels: {{- include "chassis.v1.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "chassis.v1.labels" (dict "root" .) | nindent 8 }}
        {{- with .Values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        checksum/config: {{ include "chassis.v1.config" . | sha256sum }}
        {{- with .Values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "chassis.v1.serviceAccountName" . | quote }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .Values.drain.gracePeriodSeconds }}
      securityContext: {{- include "chassis.v1.podSecurityContext" . | nindent 8 }}
      {{- with include "chassis.v1.placement" . }}{{ . | nindent 6 }}{{ end }}
      topologySpreadConstraints:
        {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - topologyKey: {{ $key }}
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "chassis.v1.selector" $ | nindent 14 }}
        {{- end }}
      containers:
        - name: server
          image: {{ include "chassis.v1.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          command: [python, -m, {{ include "chassis.v1.name" . | quote }}, serve]
          securityContext: {{- include "chassis.v1.securityContext" . | nindent 12 }}
          ports:
            - name: grpc
              containerPort: {{ .Values.port }}
            - name: http
              containerPort: {{ include "chassis.v1.httpPort" . }}
            {{- with .Values.webPort }}
            - name: web
              containerPort: {{ . }}
            {{- end }}
            {{- with .Values.mailPort }}
            - name: mail
              containerPort: {{ . }}
            {{- end }}
          {{- include "chassis.v1.environment" . | nindent 10 }}
          {{- /* Five minutes to start: on a busy node imports alone may take one, and a restart would only begin again. */}}
          startupProbe:
            httpGet:
              path: /health/live
              port: http
            periodSeconds: 1
            failureThreshold: 300
          {{- /* Liveness asks only whether the event loop turns: an outage of a dependency restarts no pod. */}}
          livenessProbe:
            httpGet:
              path: /health/live
              port: http
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /health/ready
              port: http
            periodSeconds: 3
            timeoutSeconds: 2
            failureThreshold: 1
          resources: {{- toYaml .Values.resources | nindent 12 }}
          volumeMounts: {{- include "chassis.v1.volumeMounts" . | nindent 12 }}
      volumes: {{- include "chassis.v1.volumes" . | nindent 8 }}
{{- end -}}
