#!/bin/sh
# run.sh <wasmetal> <program.wasm> <expected.txt>: runs the program in a folder of its own and compares what it printed.
set -eu
wasmetal=$1 program=$2 expected=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/own" "$dir/fixed"
echo secret >"$dir/outside"
echo data >"$dir/fixed/data"
ln -s ../outside "$dir/own/escape"
printf 'first line\nsecond\n' >"$dir/input"
for device in none cpu; do
    code=0
    (cd "$dir" && "$wasmetal" run --no-cache --device=$device --dir=own::. --dir=fixed::/fixed --env=COLOUR=blue "$program" \
        -- one "two words" "" <input >output 2>errors) || code=$?
    if [ "$code" -ne 42 ]; then
        echo "exit code $code, expected 42"
        cat "$dir/errors"
        exit 1
    fi
    diff -u "$expected" "$dir/output"
    grep -qx 'to stderr' "$dir/errors"
done
