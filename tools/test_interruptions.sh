#!/usr/bin/env bash
# Disturbs training runs of every kind at random moments, COUNT times in all, and compares what they
# come to with runs that nothing disturbed: weights, training state and metrics must be the same, to
# the byte but for what the clock measured.
#
#   tools/test_interruptions.sh [COUNT [SEED]]
#
# EBT names the program (build/release/ebt). The seed, which is printed, chooses kinds, disturbances
# and, as far as the machine lets it, moments.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

count=${1:-20}
seed=${2:-$((SECONDS + $$ + RANDOM))}
ebt=$(realpath "${EBT:-build/release/ebt}")
RANDOM=$seed
set -m  # every program below is a process group of its own, and hears SIGINT

pid=  # of the program in the background
work=$(mktemp -d)
runs=$work/runs
mkdir "$runs"
cleanup() {
  [[ -z $pid ]] || kill -KILL -- "-$pid" 2>/dev/null || true
  umount "$runs" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

disturbances=(kill term hangup interrupt usr1 full-log closed-pipe second-owner)
if mount -t tmpfs -o size=8m none "$runs" 2>/dev/null; then
  disturbances+=(full-disk)
else
  echo "skipped: a full disk for the run's folder, as mounting a small one is not permitted here"
fi

text=$work/text.txt
cat src/ebt/core/*.h src/ebt/io/*.h >"$text"
common=(--layers 1 --width 16 --heads 2 --batch 4 --precision fp32 --seed 3 --threads 1
  --checkpoint-every 23 --validate-every 40)
text_run=(train --data "$text" --context 16 --steps 600 --validation-windows 8 "${common[@]}")
image_run=(--image-height 8 --image-width 8 --ffn-multiplier 1 --steps 300 --loaders 1
  --validation-images 8 "${common[@]}")
kinds=(s1 s2 transformer_pp image dit)

# The words that begin a run of a kind; --out is left to the caller.
begin() {
  case $1 in
    s1) words=("${text_run[@]}") ;;
    s2) words=("${text_run[@]}" --recipe s2 --replay-rows 8) ;;
    transformer_pp) words=("${text_run[@]}" --arch transformer_pp) ;;
    *) words=(train "$1" "${image_run[@]}") ;;
  esac
}
# Those that begin the run of a kind in its folder, or go on with it.
begin_or_resume() {
  begin "$1"
  if [[ -e $runs/$1/config.json ]]; then
    words=(train --resume "$runs/$1" --threads $((RANDOM % 2 + 1)))
    [[ $1 != image && $1 != dit ]] || words=(train "$1" "${words[@]:1}")
  else
    words+=(--out "$runs/$1")
  fi
}

fail() {
  echo "$*; seed $seed" >&2
  [[ ! -s $work/log ]] || tail -5 "$work/log" >&2
  exit 1
}

without_clock() {
  sed -E 's/,"(seconds|tokens_per_second|images_per_second)":[^,}]*//g' "$1/metrics.jsonl"
}
compare() {
  local whole=$work/whole/$1 run=$runs/$1 file
  cmp <(without_clock "$whole") <(without_clock "$run") || fail "$1: the metrics differ"
  for file in "$whole"/*.safetensors; do
    cmp "$file" "$run/${file##*/}" || fail "$1: ${file##*/} differs"
  done
}

wait_for() {
  status=0
  { wait "$1" || status=$?; } 2>/dev/null  # bash would tell how it ended
}

declare -A seconds  # of a whole run, in milliseconds
say "Undisturbed runs (seed $seed)"
for kind in "${kinds[@]}"; do
  begin "$kind"
  start=$(date +%s%3N)
  "$ebt" "${words[@]}" --out "$work/whole/$kind" >"$work/log" 2>&1 || fail "$kind: cannot run"
  seconds[$kind]=$(($(date +%s%3N) - start))
done

make_pipe() {
  rm -f "$work/pipe"
  mkfifo "$work/pipe"
}

# Starts `words` with its output where the disturbance wants it.
launch() {
  : >"$work/log"
  reader=
  case $1 in
    interrupt)
      make_pipe
      tee "$work/log" <"$work/pipe" >/dev/null &
      reader=$!
      "$ebt" "${words[@]}" >"$work/pipe" 2>&1 &
      ;;
    closed-pipe)
      make_pipe
      head -c 100 <"$work/pipe" >/dev/null &
      reader=$!
      "$ebt" "${words[@]}" >"$work/log" 2>"$work/pipe" &
      ;;
    full-log) "$ebt" "${words[@]}" >"$work/log" 2>/dev/full & ;;
    *) "$ebt" "${words[@]}" >"$work/log" 2>&1 & ;;
  esac
  pid=$!
}

# A signal while the program starts ends it, later it is saved.
expect_saved() {
  [[ $status == 0 || $status == $((128 + $1)) ]] || fail "$kind: $how ended it with $status"
}

# Whether the program in the background has printed its result.
is_over() { grep -q 'holds a model of' "$work/log"; }

disturb() {
  case $how in
    kill) kill -KILL "$pid" ;;
    term | full-log | closed-pipe) kill -TERM "$pid" ;;
    hangup) kill -HUP "$pid" ;;
    interrupt) kill -INT -- "-$pid" "-$reader" ;;
    usr1) kill -USR1 "$pid" ;;
    second-owner)
      until [[ $(cat "$runs/$kind/.lock" 2>/dev/null) == "$pid "* ]] || is_over; do sleep 0.01; done
      begin_or_resume "$kind"
      second=0
      "$ebt" "${words[@]}" >"$work/second" 2>&1 || second=$?
      is_over || [[ $second != 0 ]] || fail "$kind: a second owner was let in"
      kill -KILL "$pid"
      ;;
    full-disk)
      dd if=/dev/zero of="$runs/filler" bs=4k status=none 2>/dev/null || true
      ;;
  esac
}

declare -A done_of
whole_runs=0
say "Disturbing runs $count times"
for ((i = 0; i < count;)); do
  kind=${kinds[RANDOM % ${#kinds[@]}]}
  how=${disturbances[RANDOM % ${#disturbances[@]}]}
  begin_or_resume "$kind"
  launch "$how"
  sleep "$(printf '0.%03d' $((RANDOM % 1000 * (seconds[$kind] < 2000 ? seconds[$kind] : 2000) / 3000)))"
  if disturb 2>/dev/null; then
    i=$((i + 1))
    done_of[$how]=$((${done_of[$how]:-0} + 1))
  fi
  wait_for "$pid"
  rm -f "$runs/filler"
  [[ -z $reader ]] || { wait "$reader" || true; } 2>/dev/null
  case $how in
    kill | second-owner) [[ $status == 0 || $status == 137 ]] || fail "$kind: ended with $status" ;;
    full-disk) [[ $status == 0 || $status == 1 ]] || fail "$kind: $how ended it with $status" ;;
    term | full-log | closed-pipe) expect_saved 15 ;;
    hangup) expect_saved 1 ;;
    interrupt) expect_saved 2 ;;
    usr1) expect_saved 10 ;;
  esac
  # A run that has come to its end is compared, and another begins.
  if [[ -e $runs/$kind/model.safetensors ]] &&
    [[ $(tail -1 "$runs/$kind/metrics.jsonl") == *'"val_'* ]] &&
    cmp -s "$work/whole/$kind/model.safetensors" "$runs/$kind/model.safetensors"; then
    compare "$kind"
    rm -rf "${runs:?}/$kind"
    whole_runs=$((whole_runs + 1))
  fi
done

say "Finishing what was disturbed"
for kind in "${kinds[@]}"; do
  begin_or_resume "$kind"
  "$ebt" "${words[@]}" >"$work/log" 2>&1 || fail "$kind: cannot go on"
  compare "$kind"
  whole_runs=$((whole_runs + 1))
done
for how in "${disturbances[@]}"; do
  echo "$how: ${done_of[$how]:-0}"
done
echo "$count disturbances in $whole_runs runs: all came to the same weights, state and metrics"
