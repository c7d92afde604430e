#!/usr/bin/env bash
# Lets threads be the ranks of a run under ThreadSanitizer: exchanges, sums in a tree, AdamW over
# shards, checkpoints and whole runs.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=(thread_group_test tree_sum_test adamw_test checkpoint_test shared_training_test)
cmake --preset tsan -DEBT_ISAS=portable >/dev/null
cmake --build --preset tsan --target "${tests[@]}"
# libgomp's own synchronisation is invisible to ThreadSanitizer: one OpenMP thread for each rank.
export OMP_NUM_THREADS=1
for test in "${tests[@]}"; do
  case $test in
    adamw_test | checkpoint_test) filter='*Ranks*' ;;
    *) filter='*' ;;
  esac
  build/tsan/tests/"$test" --gtest_brief=1 --gtest_filter="$filter"
done
