# What the scripts of this folder share: they run in a fresh chroot, as root, in the checkout.
# shellcheck shell=bash
set -euo pipefail

# Print whether a command succeeds; its output is shown where it does not
check() {
    local what=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        echo "ok - $what"
    else
        cat "$log"
        echo "not ok - $what"
    fi
    rm "$log"
}

install_packages() {
    apt-get install --yes --quiet --no-install-recommends "$@" >/var/log/installed 2>&1 ||
        { tail --lines=30 /var/log/installed && return 1; }
}

as_postgres() {
    (cd / && runuser -u postgres -- "$@")
}

# One query's answer
answer() {
    as_postgres psql -XAtq --set=ON_ERROR_STOP=1 --command="$1"
}

# Whether a query's answer is this
answers() {
    local got
    got=$(answer "$1")
    [ "$got" = "$2" ] || { echo "$1: $got, not $2" && return 1; }
}

[ "${in_own_network-}" ] || apt-get update --quiet >/dev/null
