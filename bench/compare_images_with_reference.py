#!/usr/bin/env python3
"""Times training steps on images beside the PyTorch reference, in one run, and prints a table.

    bench/compare_images_with_reference.py [--precision fp32,bf16] [--reference DIR] [--ebt FILE] [CASE...]

A case is SIZE:PIXELS:PATCH:BATCH (default: xxs:32:4:32). The reference takes one thinking step on the
same shapes in float32, with one thread and with two, and the faster counts; it has AdamW and gradient
clipping as ours does. It needs PyTorch with an optimised BLAS (apt-get install python3-torch
python3-numpy libopenblas0-pthread).
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"4xs": (2, 128, 2), "3xs": (4, 256, 4), "xxs": (6, 384, 6), "xs": (12, 384, 6), "small": (12, 768, 12)}


def reference_step(folder, size, pixels, patch, batch, threads, ffn=4, iterations=3):
    """Median seconds of a training step of the reference, and the peak memory of its process in GiB."""
    import resource
    sys.path.insert(0, str(folder))
    import torch
    import image_reference
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layers, width, heads = SIZES[size]
    config = {"patch_size": patch, "embedding_dim": width, "multiheaded_attention_heads": heads,
              "langevin_dynamics_noise": 0.0}
    shapes = {"transformer.x_embedder.proj.weight": (width, 3, patch, patch), "transformer.x_embedder.proj.bias": (width,),
              "learned_adaln_condition.weight": (1, width), "transformer.final_layer.linear.weight": (1, width),
              "transformer.final_layer.adaLN_modulation.1.weight": (2 * width, width),
              "transformer.final_layer.adaLN_modulation.1.bias": (2 * width,)}
    for i in range(layers):
        block = f"transformer.blocks.{i}."
        for name, out, inner in (("attn.qkv", 3 * width, width), ("attn.proj", width, width), ("mlp.fc1", ffn * width, width),
                                 ("mlp.fc2", width, ffn * width), ("adaLN_modulation.1", 6 * width, width)):
            shapes[block + name + ".weight"] = (out, inner)
            shapes[block + name + ".bias"] = (out,)
    params = {name: (0.05 * torch.randn(shape)).requires_grad_() for name, shape in shapes.items()}
    alpha = torch.tensor(3000.0, requires_grad=True)
    optimizer = torch.optim.AdamW([*params.values(), alpha], lr=1e-4)
    # Positions are made in double; a float32 model wants float32 ones.
    positions = image_reference.sincos_positions
    image_reference.sincos_positions = lambda d, side: positions(d, side, torch.float32)
    real = 2 * torch.rand(batch, 3, pixels, pixels) - 1
    noised = 0.95 * real + 0.32 * torch.randn_like(real)
    seconds = []
    for i in range(iterations + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss, _, _ = image_reference.denoise_loss(params, config, noised, real, 1, alpha)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*params.values(), alpha], 1.0)
        optimizer.step()
        if i > 0:
            seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"seconds_per_step": statistics.median(seconds), "peak_gib": peak}


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stderr}")
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=pathlib.Path, default=ROOT.parent / "shared/reference",
                        help="folder of image_reference.py")
    parser.add_argument("--ebt", type=pathlib.Path, default=ROOT / "build/release/ebt")
    parser.add_argument("--precision", default="fp32,bf16", help="of ours; several with commas between them, a row for each")
    parser.add_argument("--time-reference", metavar="CASE:THREADS", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", default=["xxs:32:4:32"])
    args = parser.parse_args()
    if not (args.reference / "image_reference.py").exists():
        sys.exit(f"there is no image_reference.py in {args.reference}: name its folder with --reference")
    if args.time_reference:  # in a process of its own: its memory is measured too
        size, *numbers = args.time_reference.split(":")
        print(json.dumps(reference_step(args.reference, size, *map(int, numbers))))
        return
    columns = ["size", "pixels", "patch", "batch", "precision", "ours, s", "reference, s", "times faster", "ours, GiB",
               "reference, GiB", "step / GEMMs", "EBT / DiT"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for case in args.cases:
        size, pixels, patch, batch = case.split(":")
        peers = [run(["/usr/bin/python3", __file__, "--reference", args.reference, "--time-reference", f"{case}:{threads}"])
                 for threads in (1, 2)]
        peer = min(peers, key=lambda p: p["seconds_per_step"])
        for precision in args.precision.split(","):
            ours = run([args.ebt, "bench", "image", "--size", size, "--image-size", pixels, "--patch", patch, "--batch", batch,
                        "--threads", "2", "--precision", precision, "--json"])
            row = [size, pixels, patch, batch, precision, f"{ours['seconds_per_step']:.3f}", f"{peer['seconds_per_step']:.3f}",
                   f"{peer['seconds_per_step'] / ours['seconds_per_step']:.2f}", f"{ours['peak_gib']:.2f}",
                   f"{peer['peak_gib']:.2f}", f"{ours['gemm_ratio']:.2f}", f"{ours['dit_ratio']:.2f}"]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
