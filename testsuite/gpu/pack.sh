#!/usr/bin/env bash
# Builds every test program and example into native programs that can be carried to a machine with a GPU.
#
#   pack.sh BUILD-DIR OUT-DIR [LEVEL]     LEVEL: optimisation of the .wasm, O2 when not given
#
# With them go the operation matrix and the random kernels, for Vulkan.
#
# BUILD-DIR is a configured and built tree.  On the other machine: OUT-DIR/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(realpath "$1") out=$2 level=${3:-O2}
clang=${CLANG:-clang-19}
mkdir -p "$out"
out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pack() { # NAME SOURCE [FLAGS...]
    local name=$1 source=$2
    shift 2
    "$clang" --target=wasm32-wasi "-$level" "$@" "$source" -o "$work/$name.wasm"
    "$build/compiler/wasmetal" "$work/$name.wasm" --name="$name" --cpu=x86-64-v3 -o "$work/$name.o"
    cc -O2 -DMODULE="wasmetal_module_$name" -I"$root/runtime/include" "$here/launcher.c" "$work/$name.o" \
        "$build/runtime/libwasmetal_rt.a" -pthread -lm -ldl -s -o "$out/$name"
}

for source in "$root"/testsuite/programs/*.c; do
    name=$(basename "$source" .c)
    read -r -a flags < <(sed -n 's,^// build: ,,p' "$source") || true
    # Programs that are called by export have no main.
    grep -q '^// run: .*invoke=' "$source" && continue
    pack "$name" "$source" ${flags[@]+"${flags[@]}"}
    sed -n 's,^// run: ,,p' "$source" > "$out/$name.args"
    grep -h '^// expect: .*launches' "$source" | sed 's,^// expect: ,,' > "$out/$name.expect" || true
    flags=()
done
pack photo "$root/examples/photo/photo.c"
pack llm_step "$root/examples/llm-step/llm_step.c"

# The operation matrix (docs/matrix.md) without the rows that have no GPU kernel, and the random kernels' program with what
# it is linked to.
mkdir -p "$out/matrix" "$out/lib" "$work/matrix"
"$build/tests/matrix/matrix_make" "$work/matrix"
cc -std=gnu11 -O1 -I"$root" "$root/tests/matrix/matrix_run.c" "$work/matrix/matrix.o" "$build/runtime/libwasmetal_rt.a" \
    -pthread -lm -ldl -s -o "$out/matrix/matrix_run"
cp "$work/matrix/rows.txt" "$out/matrix/"
for shader in "$work"/matrix/*.wgsl; do
    cp "${shader%.wgsl}.in" "${shader%.wgsl}.want" "$out/matrix/"
done
strip -o "$out/random_kernels" "$build/tests/unit/test_kernel_random"
ldd "$out/random_kernels" | sed -n 's,.*=> \(.*/lib\(vulkan\|spirv-cross\|stdc++\|gcc_s\)[^ ]*\) .*,\1,p' |
    xargs -I{} cp -L {} "$out/lib/"
cp "$here/run.sh" "$out/"
