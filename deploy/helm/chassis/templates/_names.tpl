{{/*
Template names are global to a release, and Helm keeps one definition of each: the major version in the names lets
charts on two majors of this library live in one umbrella.
*/}}

{{/* The name of every object: the release's, with the service's unless it already holds it. */}}
{{- define "chassis.v1.fullname" -}}
{{- $name := include "chassis.v1.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The service's name: its Python module, its stream, its database role. */}}
{{- define "chassis.v1.name" -}}
{{- required "name must be given: the service's name, for example billing." .Values.name -}}
{{- end -}}

{{/*
The labels a selector may use. A strict subset of all labels, because selectors can never change. The component keeps
the Service from routing to the pods of the set-up Job and of the test.
*/}}
{{- define "chassis.v1.selector" -}}
app.kubernetes.io/name: {{ include "chassis.v1.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end -}}

{{/* All labels. Takes the root context as `root` and the component, `server` unless given. */}}
{{- define "chassis.v1.labels" -}}
{{- $root := .root -}}
app.kubernetes.io/name: {{ include "chassis.v1.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | default "server" }}
app.kubernetes.io/part-of: rapport
app.kubernetes.io/version: {{ include "chassis.v1.version" $root | trunc 63 | trimAll "-._" | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "chassis.v1.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "chassis.v1.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "chassis.v1.httpPort" -}}
{{- add .Values.port 100 -}}
{{- end -}}

{{/* Which version runs: of the service, which the generic chart knows by the image alone. */}}
{{- define "chassis.v1.version" -}}
{{- .Values.image.tag | default (.Values.global | default dict).imageTag | default .Chart.AppVersion -}}
{{- end -}}

{{/* The image: a digest wins over a tag, the tag over the chart's appVersion. */}}
{{- define "chassis.v1.image" -}}
{{- $global := .Values.global | default dict -}}
{{- $image := .Values.image -}}
{{- $repository := $image.repository | default (printf "rapport/%s" (include "chassis.v1.name" .)) -}}
{{- $registry := $global.imageRegistry | default $image.registry -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ $repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ include "chassis.v1.version" . }}{{ end -}}
{{- end -}}
