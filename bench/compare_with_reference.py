#!/usr/bin/env python3
"""Times training steps of this engine beside the PyTorch reference, in one run, and prints a table.

    bench/compare_with_reference.py [--reference FILE] [--ebt FILE] [CASE...]

A case is SIZE:VOCAB:BATCH:CONTEXT (default: 4xs:256:16:256 xxs:256:8:256). The reference runs with one
thread and with two, and the faster counts. It needs PyTorch with an optimised BLAS: without one,
Debian's falls back to the reference BLAS, which is ten times slower
(apt-get install python3-torch python3-numpy libopenblas0-pthread).
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stderr}")
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=pathlib.Path, default=ROOT.parent / "shared/reference/ebt_reference.py")
    parser.add_argument("--ebt", type=pathlib.Path, default=ROOT / "build/release/ebt")
    parser.add_argument("cases", nargs="*", default=["4xs:256:16:256", "xxs:256:8:256"])
    args = parser.parse_args()
    if not args.reference.exists():
        sys.exit(f"there is no reference implementation at {args.reference}: name it with --reference")
    print("| size | V | batch | context | ours, s | reference, s | times faster | ours, GiB | reference, GiB | "
          "memory | step / GEMMs |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for case in args.cases:
        size, vocab, batch, context = case.split(":")
        shape = ["--vocab", vocab, "--batch", batch, "--context", context]
        ours = run([args.ebt, "bench", "train", "--size", size, *shape, "--threads", "2", "--precision", "fp32", "--json"])
        peers = [run(["/usr/bin/python3", args.reference, "--bench", size, *shape, "--threads", str(threads)])
                 for threads in (1, 2)]
        peer = min(peers, key=lambda p: p["seconds_per_step"])
        print(f"| {size} | {vocab} | {batch} | {context} | {ours['seconds_per_step']:.3f} | {peer['seconds_per_step']:.3f} | "
              f"{peer['seconds_per_step'] / ours['seconds_per_step']:.1f} | {ours['peak_gib']:.2f} | {peer['peak_gib']:.2f} | "
              f"1/{peer['peak_gib'] / ours['peak_gib']:.1f} | {ours['gemm_ratio']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
