#!/usr/bin/env python3
"""Times training steps of this engine beside the PyTorch reference, in one run, and prints a table.

    bench/compare_with_reference.py [--precision fp32,bf16] [--reference-batch N]
                                    [--reference FILE] [--ebt FILE] [CASE...]

A case is SIZE:VOCAB:BATCH:CONTEXT (default: 4xs:256:16:256 xxs:256:8:256). The reference runs in
float32, with one thread and with two, and the faster counts. Speed is compared per token: where the
memory of the reference does not fit the batch, --reference-batch gives it fewer rows. It needs
PyTorch with an optimised BLAS: without one, Debian's falls back to the reference BLAS, which is ten
times slower (apt-get install python3-torch python3-numpy libopenblas0-pthread).
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
    parser.add_argument("--precision", default="fp32", help="of ours; several with commas between them, a row for each")
    parser.add_argument("--reference-batch", help="rows of a step of the reference (default: those of the case)")
    parser.add_argument("cases", nargs="*", default=["4xs:256:16:256", "xxs:256:8:256"])
    args = parser.parse_args()
    if not args.reference.exists():
        sys.exit(f"there is no reference implementation at {args.reference}: name it with --reference")
    columns = ["size", "V", "batch", "context", "precision", "ours, s", "reference, s", "its batch", "times faster per token",
               "ours, GiB", "reference, GiB", "memory", "step / GEMMs", "EBT / Transformer++"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for case in args.cases:
        size, vocab, batch, context = case.split(":")
        shape = ["--vocab", vocab, "--context", context]
        reference_batch = args.reference_batch or batch
        peers = [run(["/usr/bin/python3", args.reference, "--bench", size, *shape, "--batch", reference_batch,
                      "--threads", str(threads)]) for threads in (1, 2)]
        peer = min(peers, key=lambda p: p["seconds_per_step"])
        for precision in args.precision.split(","):
            ours = run([args.ebt, "bench", "train", "--size", size, *shape, "--batch", batch, "--threads", "2",
                        "--precision", precision, "--json"])
            peer_tokens_per_second = int(reference_batch) * int(context) / peer["seconds_per_step"]
            row = [size, vocab, batch, context, precision, f"{ours['seconds_per_step']:.3f}", f"{peer['seconds_per_step']:.3f}",
                   reference_batch, f"{ours['tokens_per_second'] / peer_tokens_per_second:.1f}", f"{ours['peak_gib']:.2f}",
                   f"{peer['peak_gib']:.2f}", f"1/{peer['peak_gib'] / ours['peak_gib']:.1f}", f"{ours['gemm_ratio']:.2f}",
                   f"{ours['transformer_pp_ratio']:.2f}"]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
