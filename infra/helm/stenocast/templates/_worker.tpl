{{- /* The pod of a worker, in a Deployment or a ScaledJob. `arguments` are those of `stenocast`. */ -}}
{{- define "stenocast.workerPod" -}}
{{- $root := .root }}
{{- $worker := $root.Values.worker }}
{{- $image := include "stenocast.image" (dict "root" $root "target" $worker.target) }}
metadata:
  {{- include "stenocast.podMeta" (dict "root" $root "component" "worker" "port" $root.Values.metrics.port) | nindent 2 }}
spec:
  {{- include "stenocast.podSecurity" $root | nindent 2 }}
  # Longer than the worker takes to finish or to hand its job back: what is killed costs up to five minutes of audio.
  terminationGracePeriodSeconds: {{ add $worker.graceSeconds 30 }}
  {{- if eq $worker.mode "scaled-job" }}
  restartPolicy: Never
  {{- end }}
  {{- with $worker.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $worker.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if not $root.Values.models.baked }}
  initContainers:
    - name: models
      image: {{ $image }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [models, pull, {{ $root.Values.settings.MODELS }}]
      {{- include "stenocast.environment" (dict "root" $root "more" dict) | nindent 6 }}
      resources:
        requests: {cpu: 100m, memory: 512Mi}
        limits: {memory: 2Gi}
      {{- include "stenocast.containerSecurity" $root | nindent 6 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: models, mountPath: /models}
  {{- end }}
  containers:
    - name: worker
      image: {{ $image }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .arguments }}
      {{- include "stenocast.environment" (dict "root" $root "more" (dict "STENOCAST_GRACE_SECONDS" $worker.graceSeconds)) | nindent 6 }}
      ports:
        - {name: metrics, containerPort: {{ $root.Values.metrics.port }}}
      {{- include "stenocast.probes" "metrics" | nindent 6 }}
      resources:
        requests:
          {{- toYaml $worker.resources.requests | nindent 10 }}
        limits:
          {{- toYaml $worker.resources.limits | nindent 10 }}
          {{- if gt (int $worker.gpus) 0 }}
          nvidia.com/gpu: {{ $worker.gpus }}
          {{- end }}
      {{- include "stenocast.containerSecurity" $root | nindent 6 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        {{- if not $root.Values.models.baked }}
        - {name: models, mountPath: /models}
        {{- end }}
  volumes:
    - name: data
      emptyDir: {sizeLimit: {{ $worker.dataSize }}}
    {{- if not $root.Values.models.baked }}
    - name: models
      {{- if $root.Values.models.existingClaim }}
      persistentVolumeClaim: {claimName: {{ $root.Values.models.existingClaim }}}
      {{- else }}
      emptyDir: {sizeLimit: {{ $root.Values.models.size }}}
      {{- end }}
    {{- end }}
{{- end }}
