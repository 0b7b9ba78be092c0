#!/bin/sh
# wasmetal_add_module() where `xcrun metal` exists: the stand-in beside this file is put on PATH, a project is built, and
# its command lines and the library inside the object are checked; without xcrun nothing of the kind happens.  Also: the
# command itself has no device "metal" here.
#
#   metallib.sh SOURCE-DIR WASMETAL LIBRT WORK-DIR CLANG
set -eu
root=$1 wasmetal=$2 runtime=$3 work=$4 clang=$5
fail() { echo "FAIL: $*" >&2; exit 1; }
rm -rf "$work"
mkdir -p "$work/bin" "$work/none"
ln -s "$root/tests/metal/xcrun" "$work/bin/xcrun"
"$clang" --target=wasm32-wasi -O2 "$root/testsuite/programs/saxpy.c" -o "$work/guest.wasm"

build() { # NAME
    cmake -S "$root/tests/metal/package" -B "$work/$1" -DMODULE_RULES="$root/cmake/WasmetalModule.cmake" \
        -DCOMPILER="$wasmetal" -DRUNTIME="$runtime" "-DHEADERS=$root;$root/runtime/include" \
        -DGUEST="$work/guest.wasm" >"$work/$1.log" 2>&1 || { cat "$work/$1.log"; fail "configuring $1"; }
    cmake --build "$work/$1" >"$work/$1.log" 2>&1 || { cat "$work/$1.log"; fail "building $1"; }
}

export XCRUN_LOG="$work/xcrun.log"
: >"$XCRUN_LOG"
PATH="$work/bin:$PATH" build with
"$work/with/check" >"$work/embedded" || fail "the object has no Metal library ($?)"
"$wasmetal" --name=guest --save-kernels="$work/kernels" --emit=metadata "$work/guest.wasm" -o "$work/guest.json"
count=$(ls "$work/kernels" | grep -c '\.metal$')
[ "$count" -gt 0 ] || fail "no kernels"
[ "$(head -1 "$work/embedded")" = MTLB ] || fail "the library is not one"
[ "$(grep -c '^//@ ' "$work/embedded")" -eq "$count" ] || fail "not all $count kernels are in the library"
[ "$(grep -c ' metal -std=' "$XCRUN_LOG")" -eq "$count" ] || fail "not every kernel was compiled once"
[ "$(grep -c ' metallib ' "$XCRUN_LOG")" -eq 1 ] || fail "not one library was made"

: >"$XCRUN_LOG"
build without
[ ! -s "$XCRUN_LOG" ] || fail "xcrun was called"
if "$work/without/check" >/dev/null; then fail "a library without xcrun"; fi

if "$wasmetal" --metallib="$work/guest.wasm" "$work/guest.wasm" -o "$work/x.o" 2>"$work/err"; then
    fail "a file that is no Metal library was taken"
fi
grep -q 'is no Metal library' "$work/err" || fail "no diagnostic"
# The shipped command has no Metal device and says so.
"$wasmetal" run --device=metal --no-cache "$work/guest.wasm" >"$work/out" 2>"$work/err" || fail "run --device=metal"
grep -q 'error: WMR2301:.*no Metal device' "$work/err" || fail "--device=metal is not refused"
"$wasmetal" devices >"$work/out"
if grep -q '^metal' "$work/out"; then fail "the shipped command lists a Metal device"; fi

rm -rf "$work"
echo "ok: $count kernels"
