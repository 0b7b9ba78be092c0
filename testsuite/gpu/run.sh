#!/usr/bin/env bash
# Runs the programs that pack.sh made: on this machine's processor alone, then on its GPU through Vulkan; compares output
# and the whole linear memory byte for byte, and reports launches and fallbacks.
#
# Then the operation matrix, its table in the output, and random kernels, with the loader that was packed.
#
#   run.sh [PHOTO.jpg]            RANDOM_KERNELS=N: how many (2000)
cd "$(dirname "$0")" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
export WASMETAL_MIN_WORK=1

field() { sed -n "s/^  \"$2\": *\(.*\),\$/\1/p" "$1" | tr -d '"'; }

for expect in *.expect; do
    name=${expect%.expect}
    read -r -a args < "$name.args" || true
    "./$name" --device=none --dump-memory="$work/none.mem" -- ${args[@]+"${args[@]}"} > "$work/none.out" 2>&1
    none=$?
    WASMETAL_LOG=error "./$name" --device=vulkan --stats="$work/st" --dump-memory="$work/gpu.mem" \
        -- ${args[@]+"${args[@]}"} > "$work/gpu.out" 2> "$work/gpu.err"
    gpu=$?
    launches=$(field "$work/st" launches) verdict=ok
    [ $none = $gpu ] || verdict="exit $none/$gpu"
    cmp -s "$work/none.mem" "$work/gpu.mem" || verdict="MEMORY DIFFERS"
    [ "$(field "$work/st" bytes_copied)" = 0 ] || verdict="COPIED"
    [ "$verdict" = ok ] && passed=$((passed + 1)) || failed=$((failed + 1))
    printf '%-18s %-8s launches %-4s %s\n' "$name" "$verdict" "$launches" "$(field "$work/st" fallbacks)"
    [ "$verdict" = ok ] || head -3 "$work/gpu.err"
done

unset WASMETAL_MIN_WORK
if [ -n "${1:-}" ]; then
    for device in none cpu vulkan vulkan; do
        ./photo --device=$device --time --stats="$work/st" -- -t "$1" out.png 2>&1 | tr '\n' ' '
        printf '\nphoto %-8s launches %s  copied %s  in launches %s ns  %s\n' $device "$(field "$work/st" launches)" \
            "$(field "$work/st" bytes_copied)" "$(field "$work/st" nanoseconds)" "$(cksum < out.png)"
    done
    rm -f out.png
fi
for device in none cpu vulkan; do
    ./llm_step --device=$device --time --stats="$work/st" > "$work/llm.$device" 2> "$work/err"
    printf 'llm_step %-8s launches %s  in launches %s ns  %s ms  %s\n' $device "$(field "$work/st" launches)" \
        "$(field "$work/st" nanoseconds)" "$(tail -1 "$work/err")" "$(cksum < "$work/llm.$device")"
done

# A line a row: ok, stays REASON (the loop would run on the CPU), or WRONG.
export LD_LIBRARY_PATH="$PWD/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
matrix/matrix_run vulkan matrix > "$work/matrix" 2> "$work/err" && verdict=ok || verdict=FAILED
grep -v ' stays no-kernel$' "$work/matrix" | sed 's/^op_//'
printf 'matrix %s: %s equal, %s stay on the CPU, %s of them for want of a GPU kernel, %s wrong\n' $verdict \
    "$(grep -c ' ok$' "$work/matrix")" "$(grep -c ' stays ' "$work/matrix")" "$(grep -c ' stays no-kernel$' "$work/matrix")" \
    "$(grep -c WRONG "$work/matrix")"
[ $verdict = ok ] && passed=$((passed + 1)) || { failed=$((failed + 1)); tail -3 "$work/err"; }
./random_kernels "${RANDOM_KERNELS:-2000}" 1 2> "$work/err" && passed=$((passed + 1)) ||
    { failed=$((failed + 1)); head -3 "$work/err"; }
echo "$passed passed, $failed failed"
[ $failed = 0 ]
