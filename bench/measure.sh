# What the subjects share: how to report, and how to time. For bash scripts to source.
#
# A subject is an executable bench/<subject>, a program bench/<subject>.cpp, or a folder with an
# executable bench/<subject>/run, which is measured only where it is named. script/bench runs it
# with PGDATABASE and the like set to a new database with the extension in it. It prints one line of
# fields with tabs between them for each figure and round:
#
#   figure  unit  ours  peer or limit  target
#
# The target, "<= 1.5" or ">= 0.9", is for ours / peer; "-" where there is none. script/bench takes
# the medians over the rounds. A subject measures ours and the peer in turn, BENCH_ROUNDS times,
# and takes small sizes where BENCH_QUICK is not empty.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Report one round of one figure
sample() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$@"
}

# Print the size to measure at: the first, or the second when it is to be quick
size() {
    if [ "$BENCH_QUICK" ]; then echo "$2"; else echo "$1"; fi
}

sql() {
    psql -XAtq -v ON_ERROR_STOP=1 "$@"
}

# Print how many milliseconds the last of these SQL commands takes; all run in one session
milliseconds() {
    local command commands=()
    for command in "$@"; do
        commands+=(-c "$command")
    done
    sql -o /dev/null -c '\timing on' "${commands[@]}" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1
}
