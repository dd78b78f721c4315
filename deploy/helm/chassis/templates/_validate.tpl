{{/* Values that contradict each other, refused with a sentence. What a schema can say is in values.schema.json. */}}
{{- define "chassis.v1.validate" -}}
{{- $values := .Values -}}
{{- $global := $values.global | default dict -}}
{{- if eq "latest" ($values.image.tag | default $global.imageTag | default "") -}}
{{- fail "image.tag must name a version: latest cannot be rolled back." -}}
{{- end -}}
{{- if and $values.autoscaling.enabled (gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas must not be above autoscaling.maxReplicas." -}}
{{- end -}}
{{- if and $values.autoscaling.enabled $values.keda.enabled -}}
{{- fail "autoscaling and keda are both enabled: two autoscalers of one Deployment undo each other's work." -}}
{{- end -}}
{{- if and $values.keda.enabled (gt (int $values.keda.minReplicas) (int $values.keda.maxReplicas)) -}}
{{- fail "keda.minReplicas must not be above keda.maxReplicas." -}}
{{- end -}}
{{- if and $values.keda.enabled (not $values.keda.consumers) -}}
{{- fail "keda.consumers must name the consumers to watch: `python -m <service> describe` lists them." -}}
{{- end -}}
{{- range $route := list "grpcRoute" "httpRoute" -}}
{{- if and (get $values $route).enabled (not (get $values $route).parentRefs) -}}
{{- fail (printf "%s.parentRefs must name the gateway." $route) -}}
{{- end -}}
{{- end -}}
{{- if and (or $values.httpRoute.enabled $values.ingress.enabled) (not $values.webPort) -}}
{{- fail "httpRoute and ingress lead to pages and REST: a service without a webPort has none." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
{{- fail "ingress.host must be given: the name that browsers know." -}}
{{- end -}}
{{- if and $values.customerPages.enabled (not (and $values.webPort $values.customerPages.host)) -}}
{{- fail "customerPages needs a host, the name in customers' links, and a service with a webPort." -}}
{{- end -}}
{{- if and $values.customerPages.enabled (eq "0" (get $values.settings "customer_proxies" | default "0" | toString)) -}}
{{- fail "customerPages needs settings.customer_proxies, how many proxies add to X-Forwarded-For: without it all customers are one address." -}}
{{- end -}}
{{- if and $values.networkPolicy.egressTo (not $values.networkPolicy.egressPorts) -}}
{{- fail "networkPolicy.egressTo narrows networkPolicy.egressPorts, and there are none." -}}
{{- end -}}
{{- /* The chassis gives calls, handlers and spawned work 15 s each, after the wait; 5 s are left to close. */ -}}
{{- $drain := add (int $values.drain.waitSeconds) 50 -}}
{{- if lt (int $values.drain.gracePeriodSeconds) (int $drain) -}}
{{- fail (printf "drain.gracePeriodSeconds must be at least drain.waitSeconds + 50, here %d: a shorter one kills calls that are being finished." $drain) -}}
{{- end -}}
{{- /* Settings that a value of the chart says, and which: in `settings` they would be said twice, and one would win unseen. */}}
{{- $own := dict "database_url" "database" "database_owner_url" "setup.database" "stream_gib" "setup.streamGiB" "keep_causes_days" "setup.keepCausesDays" "keep_audit_days" "setup.keepAuditDays" "nats_url" "nats" "nats_admin_url" "setup.nats" "jwks_url" "auth.jwks" "issuer" "auth.issuer" "token_file" "auth.token" "peers" "peers" "sources" "sources" "grpc_port" "port" "http_port" "port" "web_port" "webPort" "host" "port" "pool_size" "database.poolSize" "drain_wait_s" "drain.waitSeconds" "startup_timeout_s" "startupSeconds" "log_level" "logLevel" "log_format" "logLevel" "replicas" "setup.streamReplicas" -}}
{{- $own = merge $own (dict "service" "name" "mail_port" "mailPort" "public_url" "signIn.publicUrl" "oidc_client_id" "signIn.clientId" "oidc_client_secret" "signIn.clientSecret") -}}
{{- $own = merge $own (dict "tls_dir" "tls" "database_tls_dir" "database.tls" "nats_tls_dir" "nats.tls" "cluster_issuer" "auth.workloads" "cluster_jwks_url" "auth.workloads" "cluster_accounts" "auth.workloads") -}}
{{- range $key, $_ := merge dict $values.settings $values.settingsFiles $values.settingsFolders -}}
{{- $setting := ternary $key (trimSuffix "_file" $key) (hasKey $own $key) -}}
{{- if hasKey $own $setting -}}
{{- fail (printf "settings must not hold %s: use the value %s." $key (get $own $setting)) -}}
{{- end -}}
{{- end -}}
{{- if and $values.tls.issuer.name $values.tls.existingSecret -}}
{{- fail "tls.existingSecret and tls.issuer are both given: the certificate is one that exists, or one that cert-manager makes." -}}
{{- end -}}
{{- if and (or $values.tls.issuer.name $values.tls.existingSecret) (not (include "chassis.v1.tlsSecret" .)) -}}
{{- fail "tls.existingSecret and tls.issuer are for tls.enabled: without it the service speaks no TLS." -}}
{{- end -}}
{{- if and $values.auth.token.projected.enabled (eq "default" (include "chassis.v1.serviceAccountName" .)) -}}
{{- fail "auth.token.projected needs an account of the service's own, by serviceAccount.create or serviceAccount.name: every pod of the namespace may be the account default." -}}
{{- end -}}
{{- if and $values.signIn.clientId (not (and $values.webPort $values.signIn.publicUrl)) -}}
{{- fail "signIn.clientId needs signIn.publicUrl, where browsers come back to, and a service with a webPort." -}}
{{- end -}}
{{- if and $values.signIn.clientSecret.existingSecret (not $values.signIn.clientId) -}}
{{- fail "signIn.clientSecret is for a client: signIn.clientId must be given." -}}
{{- end -}}
{{- range $key, $_ := merge dict $values.settingsFiles $values.settingsFolders -}}
{{- if gt (len (compact (list (hasKey $values.settings $key) (hasKey $values.settingsFiles $key) (hasKey $values.settingsFolders $key)))) 1 -}}
{{- fail (printf "%s is given twice: settings, settingsFiles and settingsFolders each hold settings of their own." $key) -}}
{{- end -}}
{{- end -}}
{{- $fullname := include "chassis.v1.fullname" . -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "%s cannot be the name of a Service: name the release with a letter first and no dots, or give fullnameOverride." $fullname) -}}
{{- end -}}
{{- $ports := without (list $values.port (add $values.port 100) $values.webPort $values.mailPort | toJson | fromJsonArray) 0.0 -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- fail (printf "webPort and mailPort must be others than each other, port and port + 100, where metrics are, here %d." (add $values.port 100)) -}}
{{- end -}}
{{- $volumes := list "tmp" "token" "jwks" "workloads" "tls" "database-tls" "nats-tls" -}}
{{- range $values.extraVolumes -}}
{{- if or (has .name $volumes) (hasPrefix "setting-" .name) (hasPrefix "folder-" .name) -}}
{{- fail (printf "extraVolumes: %s is the name of a volume of the chart's, as are %s, and what begins with setting- or folder-." .name (join ", " $volumes)) -}}
{{- end -}}
{{- end -}}
{{- if and $values.serviceAccount.create (eq $values.serviceAccount.name "default") -}}
{{- fail "serviceAccount.name must not be default while serviceAccount.create is true: every namespace has that account already." -}}
{{- end -}}
{{- end -}}
