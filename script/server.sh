# A throwaway server: a copy of PostgreSQL's programs, libraries and shared files in a temporary folder,
# with the extension that has been built, and a cluster beside it; reached only by the socket there, and
# gone when the calling script ends. For bash scripts to source.
# shellcheck shell=bash

PG_MAJOR=${PG_MAJOR:-15}
PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
export PG_MAJOR PG_CONFIG
export PATH="${PG_CONFIG%/*}:$PATH"
export LC_ALL=C.UTF-8 LANG=C.UTF-8

SERVER_DIR=
BUILT=. # where the extension has been built

# The server refuses to run as root
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        (cd / && "$@")
    fi
}

# Copy PostgreSQL into a folder, and install the extension there: a server that was moved finds its
# files by where its programs are
install_copy() {
    local root=$1 staged option folders=()
    for option in bindir pkglibdir sharedir; do
        folders+=(".$("$PG_CONFIG" --$option)")
    done
    staged=$(mktemp --directory)
    make --silent --directory="$BUILT" install PG_CONFIG="$PG_CONFIG" DESTDIR="$staged" >/dev/null
    as_server_user mkdir "$root"
    tar --create --dereference --exclude='companion*' --directory=/ "${folders[@]}" |
        as_server_user tar --extract --directory="$root"
    tar --create --directory="$staged" "${folders[@]:1}" |
        as_server_user tar --extract --directory="$root"
    rm -rf "$staged"
}

# Build the extension in another folder than the checkout; what follows are variables for make
build_in() {
    BUILT=$1
    mkdir -p "$BUILT"
    tar --create --exclude='*.o' --exclude='*.bc' Makefile companion.control src router upgrade |
        tar --extract --directory="$BUILT"
    make --silent --directory="$BUILT" --jobs="$(nproc)" PG_CONFIG="$PG_CONFIG" "${@:2}"
}

# Its folder is in /tmp because a socket's path may have 107 bytes at most
make_server_dir() {
    SERVER_DIR=$(as_server_user mktemp -d /tmp/companion.XXXXXX)
    trap stop_server EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    install_copy "$SERVER_DIR/installed"
    PATH="$SERVER_DIR/installed$("$PG_CONFIG" --bindir):$PATH"
}

# Start a server and point PGHOST, PGPORT, PGUSER and PGDATABASE at it; each argument is a line of
# postgresql.conf
start_server() {
    [ -n "$SERVER_DIR" ] || make_server_dir
    as_server_user initdb --pgdata="$SERVER_DIR/data" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$SERVER_DIR'" 'port = 5432' "$@" |
        as_server_user tee -a "$SERVER_DIR/data/postgresql.conf" >/dev/null
    if ! as_server_user pg_ctl start --wait --silent --pgdata="$SERVER_DIR/data" --log="$SERVER_DIR/log"; then
        as_server_user cat "$SERVER_DIR/log" >&2
        return 1
    fi
    unset PGHOSTADDR PGSERVICE PGOPTIONS
    export PGHOST=$SERVER_DIR PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

# Stop the server at once and remove its folder
stop_server() {
    [ -n "$SERVER_DIR" ] || return 0
    if as_server_user test -e "$SERVER_DIR/data/postmaster.pid"; then
        as_server_user pg_ctl stop --mode=immediate --silent --pgdata="$SERVER_DIR/data" || true
    fi
    as_server_user rm -rf "$SERVER_DIR"
    SERVER_DIR=
}
