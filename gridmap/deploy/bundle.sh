#!/usr/bin/env bash
# Packs the committed project, its locked wheels, front-end assets and translations into one archive for a machine without a network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(.venv/bin/python -c 'import gridmap; print(gridmap.__version__)')
tag=$(.venv/bin/python -c 'import sys, platform; print(f"py{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}")')
name=gridmap-$version-$tag
work=build/bundle/$name
rm -rf build/bundle && mkdir -p "$work/wheels" dist
git archive HEAD | tar -x -C "$work"
.venv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -d "$work/wheels" -r requirements.lock
mkdir -p "$work/gridmap/static" && cp -R gridmap/static/vendor "$work/gridmap/static/"
(cd gridmap && find translations -name '*.mo' -exec cp --parents {} "../$work/gridmap/" \;)
tar -C build/bundle -czf "dist/$name.tar.gz.part" "$name"
mv "dist/$name.tar.gz.part" "dist/$name.tar.gz"
rm -rf build/bundle
echo "dist/$name.tar.gz ($(du -h "dist/$name.tar.gz" | cut -f1)): unpack it on the other machine and run: make run"
