# The TAP tests of test/t. For bash scripts to source, after server.sh.
# shellcheck shell=bash

# Run prove with these arguments, a test on each core: as the server's user, who may be unable to read
# the checkout, and so from a copy
prove_tap() {
    local pgxs tap="$SERVER_DIR/tap"
    pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/..
    as_server_user mkdir "$tap"
    tar --create --directory=test t data bot_api | as_server_user tar --extract --directory="$tap"
    [ ! -e build/telegram_bot ] || tar --create --directory=build telegram_bot |
        as_server_user tar --extract --directory="$tap"
    tar --create README.md docs/*.md examples script/move_shard | as_server_user tar --extract --directory="$tap"
    [ ! -e build/node_bot/node_modules ] || tar --create --directory=build/node_bot node_modules |
        as_server_user tar --extract --directory="$tap/examples/node"
    [ ! -e build/others/node_modules ] || tar --create --directory=build/others node_modules |
        as_server_user tar --extract --directory="$tap/bot_api/others"
    [ ! -e ../shared/data ] || tar --create --directory=../shared/data checkin_instants.tsv |
        as_server_user tar --extract --directory="$tap"
    as_server_user env --chdir="$tap" CHECKIN_INSTANTS="$tap/checkin_instants.tsv" \
        TESTDIR="$tap" TESTDATADIR="$tap/tmp_check" \
        TESTLOGDIR="$tap/tmp_check/log" PG_REGRESS="$pgxs/test/regress/pg_regress" \
        prove --jobs "$(nproc)" -I "$pgxs/test/perl" "$@" && return
    as_server_user sh -c "tail --lines=50 $tap/tmp_check/log/*"
    return 1
}
