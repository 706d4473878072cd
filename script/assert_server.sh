# A server with assertions, built once from Debian's source, in the place of Debian's own. For bash
# scripts to source.
# shellcheck shell=bash

. script/server.sh
. script/apt.sh

server=/usr/local/lib/postgresql/$PG_MAJOR-assert
build=$PWD/build/assert_server

# Download the server's source from Debian's main archive
fetch_server() (
    mkdir -p "$build/lists/partial"
    cd "$build"
    apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
        --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' | sort --unique >sources.list
    fetch="apt-get -qq -o Dir::Etc::SourceList=$build/sources.list
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$build/lists -o Dir::Cache=$build"
    $fetch update
    $fetch source --download-only "postgresql-$PG_MAJOR"
)

build_server() {
    echo "Building PostgreSQL with assertions in $server"
    fetch_server
    mkdir -p "$build/server"
    tar --extract --strip-components=1 --directory="$build/server" \
        --file="$(ls "$build"/postgresql-"$PG_MAJOR"_*.orig.tar.*)"
    (
        cd "$build/server"
        ./configure --quiet --prefix="$server" --enable-cassert --enable-debug --without-readline \
            --without-zlib --with-system-tzdata=/usr/share/zoneinfo \
            CFLAGS='-O1 -fno-omit-frame-pointer' CPPFLAGS=-DUSE_VALGRIND
        make --silent --jobs="$(nproc)"
        as_root make --silent install
        as_root make --silent --directory=contrib/citext install
        as_root install --mode=644 src/tools/valgrind.supp "$server"
    ) >/dev/null
}

# Point PG_CONFIG and PATH at it; build it if it is not there
use_assert_server() {
    apt_install valgrind bzip2 >/dev/null
    PG_CONFIG=$server/bin/pg_config
    PATH="$server/bin:$PATH"
    [ -x "$PG_CONFIG" ] || build_server
}
