#!/usr/bin/env bash
# Installs the locked front-end packages and lays what the pages need into gridmap/static/vendor (never committed).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
vendor=gridmap/static/vendor
npm ci --silent --ignore-scripts --no-audit --no-fund
rm -rf "$vendor"
mkdir -p "$vendor/leaflet" "$vendor/protomaps-leaflet"
cp -R node_modules/leaflet/dist/leaflet.js node_modules/leaflet/dist/leaflet.css node_modules/leaflet/dist/images node_modules/leaflet/LICENSE "$vendor/leaflet/"
cp node_modules/protomaps-leaflet/dist/protomaps-leaflet.js node_modules/protomaps-leaflet/LICENSE "$vendor/protomaps-leaflet/"
