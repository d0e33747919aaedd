{{- define "stenocast.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "stenocast.labels" -}}
app.kubernetes.io/name: stenocast
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "stenocast.selector" -}}
app.kubernetes.io/name: stenocast
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "stenocast.image" -}}
{{ required "image.repository is required" .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}-{{ .target }}
{{- end }}

{{- /* What every pod has: who it runs as. */ -}}
{{- define "stenocast.podSecurity" -}}
automountServiceAccountToken: {{ .Values.serviceAccount.mountToken }}
{{- with .Values.serviceAccount.name }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "stenocast.containerSecurity" -}}
securityContext:
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* Settings and secrets as environment variables. Empty settings keep their default. */ -}}
{{- define "stenocast.environment" -}}
env:
{{- range $name, $value := .root.Values.settings }}
{{- if ne (toString $value) "" }}
  - name: STENOCAST_{{ $name }}
    value: {{ toString $value | quote }}
{{- end }}
{{- end }}
  - name: STENOCAST_PORT
    value: {{ .root.Values.api.port | quote }}
  - name: STENOCAST_METRICS_PORT
    value: {{ .root.Values.metrics.port | quote }}
{{- range $name, $value := .more }}
  - name: {{ $name }}
    value: {{ toString $value | quote }}
{{- end }}
envFrom:
  - secretRef:
      name: {{ required "existingSecret is required: a secret with STENOCAST_DATABASE_URL" .root.Values.existingSecret }}
{{- end }}

{{- define "stenocast.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
{{- /* of the API: a store without room must not take the transcripts away with the uploads */}}
  httpGet: {path: "/readyz{{ if eq . "http" }}?for=reading{{ end }}", port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 2
{{- end }}

{{- define "stenocast.podMeta" -}}
labels:
  {{- include "stenocast.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- if not .root.Values.metrics.podMonitor }}
annotations:
  prometheus.io/scrape: "true"
  prometheus.io/path: /metrics
  prometheus.io/port: {{ .port | quote }}
{{- end }}
{{- end }}

{{- define "stenocast.checked" -}}
{{- $_ := required "settings.STORE_URL is required" .Values.settings.STORE_URL -}}
{{- $_ := required "settings.KAFKA_BOOTSTRAP is required" .Values.settings.KAFKA_BOOTSTRAP -}}
{{- if and (eq .Values.worker.target "worker-cpu") (gt (int .Values.worker.gpus) 0) -}}
{{- fail "worker.gpus must be 0 with worker.target worker-cpu" -}}
{{- end -}}
{{- end }}
