#!/usr/bin/env bash
# Sets up everything gridmap needs, once: system packages, .venv from the hashed lock, front-end assets, translations, bytecode.
# Usage: setup.sh run|test|bench, each with what the one before needs.  Every step is skipped when what it makes is there and fresh, so a second run takes a moment.
# A step's stamp is removed before it starts and written when it is done: what was killed half-way is made anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
purpose=${1:-run}
say() { printf '%s\n' "gridmap: $*" >&2; }

exec 9<. # one set-up at a time: a lock on the folder itself; long-lived children must not inherit it
flock -n 9 || { say "another set-up is running here; waiting for it" && flock 9; }

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
has_library() { [[ "$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)" == *"$1"* ]]; } # no pipe: grep -q would break it off
has_chinese_font() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh-cn family 2>/dev/null | head -n 1)" ]; }
on_ubuntu() { grep -qs '^ID=ubuntu' /etc/os-release; } # its chromium is a snap, which no test can drive
has_chromium() {
    local name
    for name in "${GRIDMAP_CHROMIUM:-}" .venv/bin/chromium chromium chromium-browser google-chrome; do
        [ -n "$name" ] && name=$(command -v "$name") && ! grep -qs '/snap/' "$name" && return
    done
    return 1
}
assets_wanted() { cat package-lock.json gridmap/deploy/assets.sh | sha256sum | cut -d' ' -f1; }
assets_fresh() { [ "$(cat gridmap/static/vendor/.stamp 2>/dev/null)" = "$(assets_wanted)" ]; }
missing_packages() {
    python_of_age >/dev/null || echo python3 python3-venv
    if [ -z "${DATABASE_URL:-}" ] || [ "$purpose" != run ]; then
        has_postgis || echo postgresql postgresql-postgis
    fi
    compgen -G '/usr/lib/postgresql/*/bin/pg_dump' >/dev/null || command -v pg_dump >/dev/null || echo postgresql-client
    has_chinese_font || echo fontconfig fonts-noto-cjk
    has_library libpangoft2-1.0 || echo libpango-1.0-0 libpangoft2-1.0-0
    assets_fresh || command -v npm >/dev/null || echo nodejs npm
    if [ "$purpose" != run ]; then
        has_chromium || on_ubuntu || echo chromium
        has_library libatomic.so.1 || echo libatomic1 # Playwright's driver stands on it
        command -v ogr2ogr >/dev/null || echo gdal-bin
        command -v node >/dev/null || echo nodejs # the studio's modules are tested in it
    fi
}
install_packages() {
    local as_root=() packages=("$@") command
    command="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
    command -v apt-get >/dev/null || { say "please install with this system's package manager, then try again: ${packages[*]}"; exit 6; }
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
        if ! "${as_root[@]}" true 2>/dev/null; then
            say "system packages are missing; please run as root: $command"
            exit 6
        fi
    fi
    say "installing ${packages[*]}"
    mkdir -p build
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -ec '
        apt-get -o DPkg::Lock::Timeout=600 update -qq
        apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@"' apt "${packages[@]}" >build/apt.log 2>&1 9<&- || {
        tail -n 3 build/apt.log >&2
        say "apt could not install the packages; build/apt.log says why. Please run as root: $command"
        exit 6
    }
}
read -r -a missing <<<"$(missing_packages | tr '\n' ' ')"
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

# --- Python: .venv from the lock ---------------------------------------------------------------------------------------------
python=$(python_of_age)
version=$("$python" --version)
stamp() { { cat "$1" pyproject.toml; echo "$version $PWD"; } | sha256sum | cut -d' ' -f1; }
case $purpose in
    run) locks=(requirements.lock requirements-dev.lock requirements-bench.lock) ;;
    test) locks=(requirements-dev.lock requirements-bench.lock) ;;
    *) locks=(requirements-bench.lock) ;;
esac
lock=${locks[0]}
want=$(stamp "$lock")
have=$(cat .venv/.stamp 2>/dev/null || true)
for more in "${locks[@]:1}"; do # what tests or benchmarks need is enough to run
    if [ "$have" = "$(stamp "$more")" ]; then want=$have; fi
done
if [ "$have" != "$want" ]; then
    say "creating .venv from $lock"
    { [ -n "$have" ] && .venv/bin/python -c 'import pip' 2>/dev/null; } || "$python" -m venv --clear .venv
    rm -f .venv/.stamp
    pip=(.venv/bin/python -m pip install -qq --disable-pip-version-check)
    offline=()
    [ -d wheels ] && offline=(--no-index --find-links wheels)
    "${pip[@]}" "${offline[@]}" --require-hashes -r "$lock"
    "${pip[@]}" --no-index --no-build-isolation --no-deps --config-settings editable_mode=compat -e .
    echo "$want" >.venv/.stamp
fi
if [ "$purpose" != run ] && ! has_chromium; then
    say "installing Chromium"
    .venv/bin/python -m playwright install --with-deps chromium >&2
    ln -sf "$(.venv/bin/python -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)')" .venv/bin/chromium
fi

# --- front-end assets, translations, bytecode and kernels --------------------------------------------------------------------
if ! assets_fresh; then
    say "installing front-end assets"
    bash gridmap/deploy/assets.sh
    assets_wanted >gridmap/static/vendor/.stamp
fi
newer() { [ ! -e "$1" ] || [ -n "$(find "${@:2}" -newer "$1" -print -quit)" ]; }
for po in gridmap/translations/*/LC_MESSAGES/*.po; do
    if newer "${po%.po}.mo" "$po"; then .venv/bin/python -m gridmap.translations compile; fi
done
if newer .venv/.stamp-compiled geodata gridmap -name '*.py'; then
    say "compiling bytecode and numeric kernels"
    .venv/bin/python -m compileall -q gridmap geodata
    .venv/bin/python -m geodata.warm
    touch .venv/.stamp-compiled
fi
