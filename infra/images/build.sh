#!/usr/bin/env bash
# Build images from the Dockerfile where there is no Docker engine and perhaps no image registry: with buildah, as root,
# on a Debian base made by debootstrap from the mirror that apt uses here.
#
#   infra/images/build.sh core                 # localhost/stenocast:core
#   BAKE_MODELS=starter infra/images/build.sh worker-cpu
#
# Where Docker works, `docker build --target core .` does the same. Needs: apt-get install buildah debootstrap
set -euo pipefail
cd "$(dirname "$0")/../.."

export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
BASE=${BASE:-localhost/debian:bookworm-slim}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

make_base() {
  local mirror container
  mirror=$(apt-get indextargets --format '$(URI)' 'Created-By: Packages' 2>/dev/null | sed -nE 's#(.*/debian)/dists/.*#\1#p' | head -n 1)
  debootstrap --variant=minbase bookworm "$scratch/root" ${mirror:+"$mirror"} >"$scratch/debootstrap.log" || { tail "$scratch/debootstrap.log"; return 1; }
  if [ -e /etc/apt/sources.list.d/debian.sources ]; then # with the security updates, where this machine has them
    cp /etc/apt/sources.list.d/debian.sources "$scratch/root/etc/apt/sources.list.d/"
    : >"$scratch/root/etc/apt/sources.list"
  fi
  rm -rf "$scratch/root"/var/cache/apt/* "$scratch/root"/var/lib/apt/lists/*
  container=$(buildah from scratch)
  buildah add -q "$container" "$scratch/root" / >/dev/null
  buildah commit -q "$container" "$BASE" >/dev/null
  buildah rm "$container" >/dev/null
  rm -rf "$scratch/root"
}

# What pip on this machine is set to, for the time of the build only: an index, a certificate authority.
pip_secrets() {
  local setting value
  cp "${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}" "$scratch/ca.crt"
  {
    printf '[global]\ncert = /run/secrets/ca.crt\ntimeout = 180\ndisable-pip-version-check = true\n'
    for setting in index-url extra-index-url; do
      value=$(python3 -m pip config get "global.$setting" 2>/dev/null || python3 -m pip config get ":env:.$setting" 2>/dev/null || true)
      [ -z "$value" ] || printf '%s = %s\n' "$setting" "$value"
    done
  } >"$scratch/pip.conf"
}

[ $# -gt 0 ] || { sed -n '2,8p' "$0"; exit 2; }
command -v buildah >/dev/null || { echo "buildah is missing; on Debian: apt-get install buildah debootstrap"; exit 1; }
if ! buildah inspect --type image "$BASE" >/dev/null 2>&1; then
  SECONDS=0
  make_base
  echo "base image $BASE made in $SECONDS s"
fi
pip_secrets
for target in "$@"; do
  SECONDS=0
  # The Docker format keeps HEALTHCHECK. Without --layers every stage is committed once: vfs copies each layer whole.
  buildah bud --quiet --pull-never --format docker --isolation "$BUILDAH_ISOLATION" --network host --layers=false \
    --secret "id=pip.conf,src=$scratch/pip.conf" --secret "id=ca.crt,src=$scratch/ca.crt" \
    --build-arg "BASE=$BASE" --build-arg "BAKE_MODELS=${BAKE_MODELS:-}" \
    --target "$target" --tag "localhost/stenocast:$target" . >/dev/null
  size=$(buildah images --format '{{.Size}}' "localhost/stenocast:$target")
  echo "localhost/stenocast:$target built in $SECONDS s, $size"
done
