# One file, three images: `core` (API, intake, publisher, reconciler: no engine, no torch), `worker-cpu`, `worker-gpu`.
#
#   docker build --target core -t stenocast:core .
#   docker build --target worker-gpu --build-arg BAKE_MODELS="gpu" -t stenocast:worker-gpu .
#
# Any Debian 12 will do as BASE: each image installs its own Python. All run as uid 1000, write nowhere but below /data
# (and /models, when models are pulled), and so run with a read-only root. The secrets pip.conf and ca.crt are optional:
# a package index or a certificate authority of one's own, for the time of the build alone.
ARG BASE=debian:bookworm-slim

# ---------------------------------------------------------------- what all have
# hadolint ignore=DL3006
FROM ${BASE} AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Debian drops a package's version when it has a fixed one, so pinned versions would break the build for every fix.
# hadolint ignore=DL3008
RUN export DEBIAN_FRONTEND=noninteractive \
    && apt-get update -q \
    && apt-get install -y -q --no-install-recommends ca-certificates python3 python3-venv tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && useradd --uid 1000 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin stenocast \
    && install -d -o stenocast -g stenocast /data /models \
    && python3 -m venv /opt/stenocast/venv
ENV PATH=/opt/stenocast/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    TMPDIR=/data \
    XDG_CACHE_HOME=/data/cache \
    HF_HUB_DISABLE_TELEMETRY=1 \
    PYANNOTE_METRICS_ENABLED=0 \
    STENOCAST_DATA_DIR=/data \
    STENOCAST_MODELS_DIR=/models \
    STENOCAST_HOST=0.0.0.0 \
    STENOCAST_METRICS_PORT=9090 \
    STENOCAST_LOG_FORMAT=json
WORKDIR /opt/stenocast/app

# ---------------------------------------------------------------- our own code as an installed package
FROM base AS app
COPY requirements/installer.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    pip install --quiet --no-cache-dir --require-hashes -r requirements/installer.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY transcription transcription
COPY formats formats
COPY adapters adapters
COPY workers workers
COPY api api
COPY cli cli
COPY evaluation evaluation
# An editable wheel: a few lines that point to /opt/stenocast/app, where the code and its data files stay together.
RUN python -c "import setuptools.build_meta as b; b.build_editable('/opt/stenocast/wheels')" \
    && rm -rf build ./*.egg-info

# ---------------------------------------------------------------- API, intake, publisher, reconciler
FROM base AS core
COPY requirements/core.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    pip install --quiet --no-cache-dir --require-hashes -r requirements/core.txt
COPY --from=app /opt/stenocast/wheels /opt/stenocast/wheels
RUN pip install --quiet --no-cache-dir --no-index --no-deps /opt/stenocast/wheels/*.whl
COPY --from=app /opt/stenocast/app .
COPY models models
COPY infra/images/healthy.py infra/images/
USER 1000:1000
VOLUME ["/data"]
EXPOSE 8080 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "/opt/stenocast/app/infra/images/healthy.py"]
ENTRYPOINT ["/usr/bin/tini", "--", "stenocast"]
CMD ["api"]

# ---------------------------------------------------------------- worker without a GPU
# torch's wheels on the package index are those with CUDA: there is no smaller one that could be pinned by hash from
# the same index. So this image has CUDA's libraries too and uses none of them.
FROM base AS worker-cpu
ARG BAKE_MODELS=""
COPY requirements/worker.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    pip install --quiet --no-cache-dir --require-hashes -r requirements/worker.txt
COPY --from=app /opt/stenocast/wheels /opt/stenocast/wheels
RUN pip install --quiet --no-cache-dir --no-index --no-deps /opt/stenocast/wheels/*.whl
COPY --from=app /opt/stenocast/app .
COPY models models
COPY infra/images/healthy.py infra/images/
# The names are a list: "starter fast".
# hadolint ignore=SC2086
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    if [ -n "$BAKE_MODELS" ]; then stenocast models pull $BAKE_MODELS && chown -R stenocast:stenocast /models; fi
USER 1000:1000
VOLUME ["/data"]
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python3", "/opt/stenocast/app/infra/images/healthy.py"]
ENTRYPOINT ["/usr/bin/tini", "--", "stenocast"]
CMD ["worker"]

# ---------------------------------------------------------------- worker with an NVIDIA GPU
# torch loads CUDA 13 from its own wheels; ctranslate2 asks the system's loader for libcublas.so.12. Both lie side by
# side. The driver comes with the container runtime.
FROM worker-cpu AS worker-gpu
USER 0:0
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY requirements/gpu.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    pip install --quiet --no-cache-dir --require-hashes -r requirements/gpu.txt \
    && printf '%s\n' /opt/stenocast/venv/lib/python3*/site-packages/nvidia/{cublas,cuda_nvrtc}/lib > /etc/ld.so.conf.d/stenocast.conf \
    && ldconfig \
    && ldconfig -p | grep -q 'libcublas\.so\.12'
ENV STENOCAST_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000:1000
