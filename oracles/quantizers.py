"""Golden vectors from PyTorch's fake-quantize operators for the quantizers of @dovetail/quant.

Usage: python oracles/quantizers.py

Writes packages/quant/src/quantizers/fake-quantize.golden.json: of each case the input, the result and the gradients of
the result's sum. Inputs keep away from ties and from the half step beyond the clamp's edges, where PyTorch differs by
design (docs/models/quantizers.md), except those of the case "half step beyond", which shows that difference.
"""

import json
import pathlib

import numpy as np
import torch

TARGET = pathlib.Path(__file__).resolve().parent.parent / "packages" / "quant" / "src" / "quantizers"
random = np.random.default_rng(20260522)


def away_from_ties(count, lowest, highest):
    """Codes as real numbers: inside, at least 0.05 from every tie and edge; outside, at least a step beyond."""
    codes = random.uniform(lowest - 8, highest + 8, 40 * count)
    fraction = codes - np.floor(codes)
    inside = (codes > lowest + 0.05) & (codes < highest - 0.05) & (np.abs(fraction - 0.5) > 0.05)
    outside = (codes < lowest - 1) | (codes > highest + 1)
    return codes[inside | outside][:count]


def numbers(tensor):
    return [float(value) for value in tensor.detach().numpy().astype(np.float32).ravel()]


def affine(bits, scale, zero_point):
    levels = 2**bits - 1
    x = (away_from_ties(24, 0, levels) - zero_point) * scale
    x = torch.tensor(x.astype(np.float32), requires_grad=True)
    y = torch.fake_quantize_per_tensor_affine(x, scale, zero_point, 0, levels)
    y.sum().backward()
    return {"bits": bits, "scale": scale, "zeroPoint": zero_point, "x": numbers(x), "y": numbers(y), "dx": numbers(x.grad)}


def per_channel(bits):
    """Symmetric: the scale of each of 3 channels is its largest magnitude over the largest code."""
    highest = 2 ** (bits - 1) - 1
    codes = np.stack([away_from_ties(400, -highest, highest) for _ in range(3)])
    codes = np.stack([row[np.abs(row) < highest][:7] for row in codes])
    scales = np.array([0.013, 0.4, 2.5], dtype=np.float32)
    x = np.concatenate([codes, np.full((3, 1), highest)], axis=1) * scales[:, None]
    x = torch.tensor(x.astype(np.float32), requires_grad=True)
    y = torch.fake_quantize_per_channel_affine(
        x, torch.tensor(scales), torch.zeros(3, dtype=torch.int32), 0, -highest, highest
    )
    y.sum().backward()
    return {"bits": bits, "x": numbers(x), "y": numbers(y), "dx": numbers(x.grad)}


def learnable(bits, scale, x):
    """PyTorch's learnable step; its gradient factor is LSQ's 1/sqrt(N * Q_P)."""
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    x = torch.tensor(np.asarray(x, dtype=np.float32), requires_grad=True)
    step = torch.tensor([scale], dtype=torch.float32, requires_grad=True)
    factor = 1 / float(np.sqrt(x.numel() * highest))
    y = torch._fake_quantize_learnable_per_tensor_affine(x, step, torch.zeros(1), lowest, highest, factor)
    y.sum().backward()
    found = {"bits": bits, "step": scale, "x": numbers(x), "y": numbers(y)}
    return {**found, "dx": numbers(x.grad), "dstep": numbers(step.grad)[0]}


def away(bits, scale):
    return away_from_ties(24, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * scale


cases = {
    "torch": torch.__version__.split("+")[0],
    "affine": [affine(2, 0.5, 1), affine(4, 0.11, 5), affine(8, 0.03, 128), affine(8, 0.017, 0)],
    "perChannel": [per_channel(bits) for bits in (2, 4, 8)],
    "learnable": [learnable(bits, scale, away(bits, scale)) for bits, scale in ((2, 0.7), (4, 0.11), (8, 0.02))],
    "halfStepBeyond": learnable(3, 0.3, [-1.3, -0.4, 0, 0.26, 0.9, 2.1]),
}
(TARGET / "fake-quantize.golden.json").write_text(json.dumps(cases, indent=1) + "\n")
