#!/usr/bin/env bash
# Trains every kind of model in environments that grant fewer threads, cores or time than are asked
# for, and compares the weights, which must be the same to the bit.
# Usage: tools/test_threads.sh [STEPS] [EBT]    default: 20 steps of build/release/ebt
# A quota of CPU time takes a control group, version 2 or 1; where none can be made it says why.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
steps=${1:-20}
ebt=$(realpath "${2:-$here/build/release/ebt}")
work=$(mktemp -d)
group=
cleanup() {
  [[ -z $group ]] || rmdir "$group" || true
  rm -rf "$work"
}
trap cleanup EXIT
cd "$work"
awk 'BEGIN { x = 1; for (i = 0; i < 6000; ++i) { x = (x * 16807) % 2147483647
             printf "word%d%s", x % 97, i % 9 == 8 ? ".\n" : " " } }' >text

# Makes a group that may use a fifth of a core, and sets `group`; or says why not.
make_group() {
  local parent quota=20000 period=100000
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    parent=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
    if ! grep -qw cpu "$parent/cgroup.subtree_control" &&
      ! { echo +cpu >"$parent/cgroup.subtree_control"; } 2>why; then
      echo "no CPU quota (control groups, version 2): $(cat why)"
      return
    fi
  else
    parent=/sys/fs/cgroup/cpu
    if [[ ! -f $parent/cpu.cfs_quota_us ]]; then
      echo "no CPU quota: neither control groups of version 2 nor a cpu controller of version 1"
      return
    fi
  fi
  if ! mkdir "$parent/ebt-$$" 2>why; then
    echo "no CPU quota: $(cat why)"
    return
  fi
  group=$parent/ebt-$$
  if ! {
    if [[ -f $group/cpu.max ]]; then
      echo "$quota $period" >"$group/cpu.max"
    else
      echo "$period" >"$group/cpu.cfs_period_us"
      echo "$quota" >"$group/cpu.cfs_quota_us"
    fi
    (echo "$BASHPID" >"$group/cgroup.procs")
  } 2>why; then
    echo "no CPU quota: $(cat why)"
    rmdir "$group"
    group=
  fi
}
in_group() {
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec "$@"
  )
}

failures=0
runs=0
# compare NAME COMMAND...: the weights of a run, with those of one thread.
compare() {
  local name=$1
  shift
  "$@" --out run --overwrite >log 2>&1 || { echo "$kind, $precision, $name: $(tail -1 log)"; exit 1; }
  runs=$((runs + 1))
  if ! cmp -s run/model.safetensors alone/model.safetensors; then
    echo "$kind, $precision, $name: other weights"
    failures=$((failures + 1))
  fi
}

make_group
for kind in ebt ebt-s2 transformer_pp image dit; do
  for precision in fp32 bf16; do
    run=("$ebt" train)
    case $kind in
      ebt) run+=(--data text) ;;
      ebt-s2) run+=(--data text --recipe s2 --replay-rows 4) ;;
      transformer_pp) run+=(--data text --arch transformer_pp) ;;
      *) run+=("$kind" --image-height 16 --image-width 16 --validation-images 2) ;;
    esac
    case $kind in
      image | dit) ;;
      *) run+=(--context 64 --validation-windows 2) ;;
    esac
    run+=(--precision "$precision" --layers 2 --width 64 --heads 2 --batch 4 --steps "$steps")
    "${run[@]}" --threads 1 --out alone --overwrite >log 2>&1 || { cat log; exit 1; }
    for threads in 2 3 8; do
      compare "$threads threads" "${run[@]}" --threads "$threads"
    done
    for limit in 1 2 3; do
      compare "OMP_THREAD_LIMIT=$limit" env OMP_THREAD_LIMIT=$limit "${run[@]}" --threads 4
    done
    compare OMP_DYNAMIC env OMP_DYNAMIC=true "${run[@]}" --threads 4
    for threads in 1 3; do
      compare "OMP_NUM_THREADS=$threads" env OMP_NUM_THREADS=$threads "${run[@]}"
    done
    compare nested env OMP_NUM_THREADS=3,2 OMP_MAX_ACTIVE_LEVELS=3 "${run[@]}"
    compare taskset taskset -c 0 "${run[@]}" --threads 4
    compare "taskset, all cores" taskset -c 0 "${run[@]}"
    [[ -z $group ]] || compare "CPU quota" in_group "${run[@]}" --threads 4
    rm -rf alone run
  done
done
echo "$runs runs of $steps steps, $failures with other weights than those of one thread"
[[ $failures == 0 ]]
