"""SmartExchange's published rounds in numpy, for 3×3 filters of 512 channels: pieces of 192 rows, 32 rounds at most, nearest
power of two by value, no threshold, exponents and basis unbounded. Usage: smartexchange_decompose.py WEIGHTS.f32"""
import sys

import numpy as np

from serve import serve

weights = np.fromfile(sys.argv[1], dtype=np.float32).astype(np.float64)
pieces = weights.reshape(-1, 192, 3)


def rounded(values):
    magnitudes = np.abs(values)
    with np.errstate(divide="ignore"):
        exponents = np.floor(np.log2(magnitudes / 0.75))
    return np.where(magnitudes == 0, 0.0, np.sign(values) * np.minimum(np.exp2(exponents), 32.0))


def decompose(piece):
    coefficients, basis, before = piece, np.eye(3), None
    for _ in range(32):
        powers = rounded(coefficients)
        if before is not None and np.linalg.norm(powers - before) < 1e-10:
            break
        before = powers
        basis = np.linalg.lstsq(powers, piece, rcond=None)[0]
        coefficients = np.linalg.lstsq(basis.T, piece.T, rcond=None)[0].T
    powers = rounded(coefficients)
    basis = np.linalg.lstsq(powers, piece, rcond=None)[0]
    return np.sum((piece - powers @ basis) ** 2)


def step():
    return float(sum(decompose(piece) for piece in pieces) / np.sum(pieces**2))


serve(step)
