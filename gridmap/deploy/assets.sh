#!/usr/bin/env bash
# Installs the locked front-end packages and lays what the pages need into gridmap/static/vendor (never committed).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
vendor=gridmap/static/vendor
fresh=build/vendor
npm ci --silent --no-progress --ignore-scripts --no-audit --no-fund
rm -rf "$fresh"
mkdir -p "$fresh/leaflet" "$fresh/protomaps-leaflet"
cp -R node_modules/leaflet/dist/leaflet.js node_modules/leaflet/dist/leaflet.css node_modules/leaflet/dist/images node_modules/leaflet/LICENSE "$fresh/leaflet/"
cp node_modules/protomaps-leaflet/dist/protomaps-leaflet.js node_modules/protomaps-leaflet/LICENSE "$fresh/protomaps-leaflet/"
rm -rf "$vendor"
mv "$fresh" "$vendor"
