#!/usr/bin/env bash
# Sets up everything gridmap needs, once: system packages, .venv from the hashed lock, front-end assets, translations, bytecode.
# Usage: setup.sh run|test.  Every step is skipped when what it makes is there and fresh, so a second run takes a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
purpose=${1:-run}
say() { printf '%s\n' "gridmap: $*" >&2; }

# --- system packages ---------------------------------------------------------------------------------------------------------
python_of_age() {
    local name
    for name in "${GRIDMAP_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$name" ] && command -v "$name" >/dev/null &&
            "$name" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$name"; return; }
    done
    return 1
}
has_postgis() { compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null; }
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p | grep -q "$1"; }
chromium_of() {
    local name
    for name in "${GRIDMAP_CHROMIUM:-}" chromium chromium-browser google-chrome; do
        [ -n "$name" ] && command -v "$name" >/dev/null && ! "$name" --version 2>&1 | grep -qi snap && { echo "$name"; return; }
    done
    return 1
}
missing_packages() {
    python_of_age >/dev/null || echo python3 python3-venv
    if [ -z "${DATABASE_URL:-}" ] || [ "$purpose" = test ]; then
        has_postgis || echo postgresql postgis
    fi
    compgen -G '/usr/lib/postgresql/*/bin/pg_dump' >/dev/null || command -v pg_dump >/dev/null || echo postgresql-client
    command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh-cn 2>/dev/null | head -n 1)" ] || echo fontconfig fonts-noto-cjk
    has_library libpangoft2-1.0 || echo libpango-1.0-0 libpangoft2-1.0-0
    [ -d gridmap/static/vendor/leaflet ] || command -v npm >/dev/null || echo nodejs npm
    if [ "$purpose" = test ]; then
        chromium_of >/dev/null || echo chromium
        command -v ogr2ogr >/dev/null || echo gdal-bin
    fi
}
install_packages() {
    local apt=(apt-get) packages=("$@")
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "please run once: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]} && make ${MAKECMDGOALS:-$purpose}"
            exit 6
        fi
        apt=(sudo -n apt-get)
    fi
    command -v apt-get >/dev/null || { say "please install with this system's package manager: ${packages[*]}"; exit 6; }
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    mkdir -p build && { "${apt[@]}" update -qq && "${apt[@]}" install -y -qq --no-install-recommends "${packages[@]}"; } >build/apt.log 2>&1 || {
        tail -n 3 build/apt.log >&2
        say "apt could not install ${packages[*]}; build/apt.log says why. Please run: apt-get update && apt-get install -y ${packages[*]}"
        exit 6
    }
}
read -r -a missing <<<"$(missing_packages | tr '\n' ' ')"
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
if [ -z "${DATABASE_URL:-}" ] && ! has_postgis; then # PostGIS is packaged per major version of the server
    for folder in /usr/lib/postgresql/*/; do install_packages "postgresql-$(basename "$folder")-postgis-3"; done
fi

# --- Python: .venv from the lock ---------------------------------------------------------------------------------------------
python=$(python_of_age)
lock=requirements.lock
[ "$purpose" = test ] && lock=requirements-dev.lock
stamp() { { cat "$@"; "$python" --version; pwd; } | sha256sum | cut -d' ' -f1; }
want=$(stamp "$lock" pyproject.toml)
if ! { [ -x .venv/bin/gridmap ] && { [ "$(cat .venv/.stamp-$purpose 2>/dev/null)" = "$want" ] ||
    { [ "$purpose" = run ] && [ "$(cat .venv/.stamp-test 2>/dev/null)" = "$(stamp requirements-dev.lock pyproject.toml)" ]; }; }; }; then
    say "creating .venv from $lock"
    [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
    offline=()
    [ -d wheels ] && offline=(--no-index --find-links wheels)
    .venv/bin/python -m pip install -qq --disable-pip-version-check "${offline[@]}" --require-hashes -r "$lock"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-index --no-build-isolation --no-deps \
        --config-settings editable_mode=compat -e .
    echo "$want" >".venv/.stamp-$purpose"
fi

# --- front-end assets, translations, bytecode and kernels --------------------------------------------------------------------
want=$({ cat package-lock.json gridmap/deploy/assets.sh; } | sha256sum | cut -d' ' -f1)
if [ "$(cat gridmap/static/vendor/.stamp 2>/dev/null)" != "$want" ]; then
    say "installing front-end assets"
    bash gridmap/deploy/assets.sh
    echo "$want" >gridmap/static/vendor/.stamp
fi
.venv/bin/python -m gridmap.translations compile
want=$(find geodata gridmap -name '*.py' -newer .venv/.stamp-compiled 2>/dev/null | head -n 1 || true)
if [ ! -e .venv/.stamp-compiled ] || [ -n "$want" ]; then
    .venv/bin/python -m compileall -q gridmap geodata
    say "compiling bytecode and numeric kernels"
    .venv/bin/python -m geodata.warm
    touch .venv/.stamp-compiled
fi
