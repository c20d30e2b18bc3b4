#!/bin/sh
# Makes this folder ready, and says what it does. Safe to run again: what is current is left alone.
#   deploy/setup.sh run     what `make run` needs: uv and the locked packages in .venv
#   deploy/setup.sh test    the same with the development packages, and PostgreSQL's server
#   deploy/setup.sh stories what `make stories` needs besides: local-slack, in .tools (by npm)
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "ratchet setup: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# dpkg needs the sbin folders, which a plain user's PATH may lack.
apt_install() {
    PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    export PATH DEBIAN_FRONTEND=noninteractive
    apt-get update -q </dev/null >&2 && apt-get install -q -y "$@" </dev/null >&2
}

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        path=$(command -v "$name" 2>/dev/null) || continue
        if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$path"
            return
        fi
    done
    say "Python 3.11 or newer is needed, and none is on PATH."
    fail "Install it (Debian 12+, Ubuntu 24.04+: apt-get install python3 python3-venv) and try again."
}

# Older releases than 0.9 do not read this lock file's revision.
new_enough() {
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#uv }
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
    [ "$major" -gt 0 ] || [ "$minor" -ge 9 ]
}

tools_venv() {
    rm -rf .tools
    "$python" -m venv .tools >/dev/null 2>&1 && [ -x .tools/bin/pip ]
}

install_uv() {
    say "getting uv, which installs the packages (into .tools)"
    if ! tools_venv; then
        can_apt || fail "Python's venv module is missing. Install it and try again:
    sudo apt-get install python3-venv"
        say "installing python3-venv"
        package=python3-venv
        case "$python" in */python3.*) package=${python##*/}-venv ;; esac
        apt_install "$package" || fail "apt-get could not install $package; see above."
        tools_venv || fail "Python's venv module still does not work: $python -m venv .tools"
    fi
    .tools/bin/pip install --disable-pip-version-check 'uv>=0.9' >&2 ||
        fail "uv could not be installed; is the package index reachable? Try again, or put uv on PATH."
}

find_uv() {
    for path in "$(command -v uv 2>/dev/null || true)" .tools/bin/uv; do
        if [ -n "$path" ] && new_enough "$path"; then
            printf '%s\n' "$path"
            return
        fi
    done
}

# Behind a company's proxy only the system's certificates know the proxy's own.
trust_system() {
    [ -s /etc/ssl/certs/ca-certificates.crt ] || return 0
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
}

stamp() { { pwd && cat uv.lock pyproject.toml; } | cksum; }

is_current() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$now" ] && .venv/bin/python -c '' 2>/dev/null
}

installed() {
    set -- .venv/lib/python3*/site-packages/*.dist-info
    if [ -e "$1" ]; then echo "$#"; else echo no; fi
}

packages() {
    now=$(stamp)
    is_current .venv/.ready-test && return
    if [ "$1" = run ]; then
        is_current .venv/.ready-run && return
    fi
    python=$(find_python) || exit 1
    uv=$(find_uv)
    if [ -z "$uv" ]; then
        install_uv
        uv=.tools/bin/uv
    fi
    trust_system
    without=--no-dev
    if [ "$1" = test ] || [ -f .venv/.ready-test ]; then without=; fi
    say "installing the locked packages into .venv (a few minutes the first time)"
    quiet=--quiet
    # A lost connection is common on a first install of this size; what came stays in uv's cache.
    for attempt in 1 2 3; do
        if UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never \
            "$uv" sync $quiet --locked --python "$python" $without; then
            break
        fi
        [ "$attempt" -lt 3 ] || fail "the packages could not be installed; see above, then try again."
        say "that did not work; trying again, and showing each step"
        quiet=
    done
    if [ -z "$without" ]; then printf '%s\n' "$now" >.venv/.ready-test; fi
    printf '%s\n' "$now" >.venv/.ready-run
    say "$(installed) packages are ready"
}

has_postgres() {
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        folder=${initdb%/initdb}
        if [ -x "$initdb" ] && [ -x "$folder/postgres" ] && [ -x "$folder/pg_ctl" ]; then
            return 0
        fi
    done
    return 1
}

postgres() {
    has_postgres && return
    if can_apt; then
        say "installing PostgreSQL, which the tests start on their own (apt-get)"
        apt_install postgresql postgresql-contrib || fail "apt-get could not install PostgreSQL; see above."
    fi
    has_postgres && return
    fail "the tests need PostgreSQL's server programs. Install them and try again:
    sudo apt-get install postgresql postgresql-contrib"
}

# A Slack that others wrote: one binary of a hundred megabytes, only for those who play its stories.
local_slack() {
    name=local-slack-linux-x64 version=0.1.8
    sum=dbe1357ecaa2b35f3b231b022368741c04f8e6a106e58b0461edcc094271f8f8
    [ -x .tools/local-slack ] && return
    command -v npm >/dev/null 2>&1 || fail "the stories over local-slack are fetched with npm. Install it and try again:
    sudo apt-get install npm"
    say "getting local-slack $version (into .tools)"
    mkdir -p .tools/package
    npm pack --silent --pack-destination .tools "$name@$version" >/dev/null ||
        fail "npm could not fetch $name; see above, then try again."
    echo "$sum  .tools/$name-$version.tgz" | sha256sum --check --quiet - ||
        fail "what npm fetched is not the $name that these stories were written for."
    tar -xzf ".tools/$name-$version.tgz" -C .tools package/bin/local-slack
    mv .tools/package/bin/local-slack .tools/local-slack
    rm -r .tools/package ".tools/$name-$version.tgz"
}

case "${1:-}" in
run) packages run ;;
test)
    packages test
    postgres
    ;;
stories)
    packages test
    local_slack
    ;;
dev) packages test ;;
*) fail "say what for: deploy/setup.sh run | test | stories | dev" ;;
esac
