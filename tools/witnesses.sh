#!/usr/bin/env bash
# Small runs of every kind of model, recipe and precision, each reduced to a hash of what it computed: a
# change that is meant to move code only leaves all of them as they are, bit for bit.
# Usage: tools/witnesses.sh [EBT]            prints "NAME HASH" lines; default: build/release/ebt
#        tools/witnesses.sh --check [EBT]    compares them with those recorded for this processor
#        tools/witnesses.sh --record [EBT]   records them
# To compare two programs on a processor without a record: diff <(tools/witnesses.sh A) <(tools/witnesses.sh B)
# Processors differ in the order of their sums, so records are kept by processor. Exit status 77 of
# --check: this one has none.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

mode=print
if [[ ${1:-} == --check || ${1:-} == --record ]]; then
  mode=${1#--}
  shift
fi
ebt=$(realpath "${1:-$here/build/release/ebt}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# What every machine has: words drawn by a linear congruential generator.
awk 'BEGIN { x = 1; for (i = 0; i < 6000; ++i) { x = (x * 16807) % 2147483647; n = x % 97
             printf "%s%s", (n % 2 ? "energy" : "step") n, i % 9 == 8 ? ".\n" : " " } }' >text

# The tensors of a safetensors file, without its header, whose text may change.
tensors() {
  local header
  header=$(od -An -tu8 -N8 "$1" | tr -d ' ')
  tail -c "+$((header + 9))" "$1"
}
hash_of() { sha256sum | cut -c1-16; }
ebt() { "$ebt" "$@" 2>log || { echo "ebt $* failed: $(cat log)" >&2; exit 1; }; }

# text NAME FLAG...: trains a model NAME on text. image KIND NAME FLAG...: one of images.
text() {
  local name=$1
  shift
  ebt train --data text --layers 2 --width 32 --heads 2 --context 24 --batch 4 --steps 8 --seed 5 \
    --validation-windows 8 --threads 2 "$@" --out "$name" >/dev/null
  echo "train-$name $(tensors "$name/model.safetensors" | hash_of)"
}
image() {
  local kind=$1 name=$2
  shift 2
  ebt train "$kind" --layers 2 --width 32 --heads 2 --image-height 16 --image-width 16 --batch 4 --steps 6 \
    --seed 5 --validation-images 8 --threads 2 --loaders 1 "$@" --out "$name" >/dev/null
  echo "train-$name $(tensors "$name/model.safetensors" | hash_of)"
}
# answers NAME FLAG...: a model NAME of whole answers.
answers() {
  local name=$1
  shift
  ebt train infill --data puzzles.csv --grid 4x4 --boxes 2x2 --layers 2 --width 32 --heads 2 --batch 6 --steps 8 \
    --seed 5 --validation-rows 8 --threads 2 "$@" --out "$name" >/dev/null
  echo "train-$name $(tensors "$name/model.safetensors" | hash_of)"
}
generated() {
  local name=$1
  shift
  ebt generate --model "$name" --prompt energy --tokens 24 --seed 3 --threads 2 "$@" >out
  echo "generate-$name $(hash_of <out)"
}
# What an evaluation measured, but for the clock.
evaluated() {
  ebt eval "${@:2}" --json >out
  echo "eval-$1 $(grep -E '"(loss|energy|psnr|ssim)":' out | hash_of)"
}

witnesses() {
  local precision type
  for precision in fp32 bf16; do
    for type in default time_embed adaln adaln_zero; do
      text "$type-$precision" --type "$type" --precision "$precision"
    done
    text "s2-$precision" --recipe s2 --precision "$precision"
    text "all-steps-$precision" --type default --steps-max 3 --no-detach --precision "$precision"
    text "transformer_pp-$precision" --arch transformer_pp --precision "$precision"
    image image "image-$precision" --precision "$precision"
    image image "image-s2-$precision" --recipe s2 --precision "$precision"
    image image "image-all-steps-$precision" --steps-max 3 --no-detach --precision "$precision"
    image dit "dit-$precision" --precision "$precision"
  done
  ebt data puzzle sudoku --boxes 2x2 --holes 4-7 --count 60 --seed 3 --out puzzles.csv >/dev/null
  for precision in fp32 bf16; do
    answers "answers-$precision" --precision "$precision"
    answers "answers-all-steps-$precision" --learned-steps 0 --langevin-noise 0.2 --step-size-spread 2 --precision "$precision"
    answers "answers-looped-$precision" --arch looped --precision "$precision"
  done
  answers answers-published --update published --learned-steps 2
  answers answers-feed-forward --arch feed_forward
  text contrastive --contrastive 0.1 --soften-targets 0.1
  text clamped --clamp-gradient 0.5 --initial zeros
  text tied --tied-vocabulary --no-normalize
  text recomputed --recompute --micro-batch 2
  for precision in fp32 bf16; do
    for type in default time_embed adaln adaln_zero s2 transformer_pp; do
      generated "$type-$precision" --precision "$precision"
    done
  done
  ln -s default-fp32 candidates
  generated candidates --think-steps 4 --candidates 3 --temperature 0.7
  evaluated text --model s2-fp32 --think-steps 4
  evaluated transformer_pp --model transformer_pp-bf16
  ebt eval infill --model answers-fp32 --think-steps 6 --restarts 2 --search 2 --json >out
  echo "eval-answers $(grep -v '"seconds"' out | hash_of)"
  evaluated image image --model image-fp32 --images 4 --grid 1,2 --no-filter
}

# The processor, as far as its arithmetic goes.
processor=$(awk -F '\t*: ' '/^vendor_id|^cpu family|^model\t/ && !seen[$1]++ { printf "%s%s", sep, $2; sep = "-" }' /proc/cpuinfo)
record=$here/tests/golden/witnesses/${processor:-unknown}.txt
case $mode in
  print) witnesses ;;
  record)
    mkdir -p "$(dirname "$record")"
    witnesses >found
    mv found "$record"
    echo "recorded $(wc -l <"$record") witnesses for $processor" ;;
  check)
    if [[ ! -e $record ]]; then
      echo "skipped: no witnesses are recorded for the processor '$processor'"
      exit 77
    fi
    witnesses >found
    diff "$record" found && echo "$(wc -l <found) witnesses hold" ;;
esac
