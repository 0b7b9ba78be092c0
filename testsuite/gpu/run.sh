#!/usr/bin/env bash
# Runs the programs that pack.sh made: on this machine's processor alone, then on its GPU through Vulkan; compares output
# and the whole linear memory byte for byte, and reports launches and fallbacks.
#
#   run.sh [PHOTO.jpg]
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
echo "$passed passed, $failed failed"
[ $failed = 0 ]
