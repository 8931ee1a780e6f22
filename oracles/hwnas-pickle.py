"""Writes small pickles in the form of HW-NAS-Bench's, for the tests of the reader in @dovetail/nasbench.

    python oracles/hwnas-pickle.py packages/nasbench/src/pickle/pickles.golden.json

The form is that of the authors' file: space -> data set -> metric -> array and config -> list of dictionaries; for FBNet
space -> metric -> operator key -> number. Each is written in every protocol; NumPy 1 named its modules otherwise.
"""

import base64
import collections
import json
import pickle
import sys
from pathlib import Path

import numpy as np

ARCHITECTURES = ["|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|", "second", "\u00e4\u20ac"]


def authors_form():
    config = [{"name": "infer.tiny", "C": 16, "N": 5, "arch_str": text, "num_classes": 10} for text in ARCHITECTURES]
    return {
        "nasbench201": {
            "cifar10": {
                "edgegpu_latency": np.array([5.807418537139893, 0.5, 1 / 3]),
                "fpga_latency": [2.57296, np.float64(0.1), np.float32(0.25)],
                "eyeriss_energy": np.array([1, 2, 3], dtype=np.float32),
                "config": config,
            }
        },
        "fbnet": {"raspi4_latency": {"FC_Cin1504_Cout100": np.float64(0.30000000000000004), "Skip": 0.0}},
    }


def values():
    return {
        "none": None,
        "flags": [True, False],
        "integers": [0, 255, 256, 65535, 65536, -1, 2**31, -(2**31), 2**52, -(2**52)],
        "numbers": [0.1, -0.0, float("inf"), float("-inf"), 1e-300],
        "text": ["", "plain", "\u00fc\u4e2d\U0001f600", "a\nb"],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "nested": {"a": [{"b": [1]}], 3: "three"},
        "ordered": collections.OrderedDict(x=1, y=2),
        "shared": [ARCHITECTURES[0], ARCHITECTURES[0]],
        "matrix": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "bigEndian": np.array([1.5, -2.5], dtype=">f8"),
        "small": np.array([-1, 2], dtype=np.int8),
        "wide": np.array([-(2**40), 2**40], dtype=np.int64),
        "booleans": np.array([True, False]),
        "empty": np.array([]),
        "bytes": b"\x00\xff",
    }


def plain(value):
    """The same as JSON; numbers that JSON lacks as texts, bytes as lists."""
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "values": [float(v) for v in value.ravel()]}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, (np.floating, float)):
        value = float(value)
        return value if np.isfinite(value) else str(value)
    return value


def main(out):
    cases = []
    for name, value in (("authors' form", authors_form()), ("values", values())):
        for protocol in range(6):
            data = pickle.dumps(value, protocol=protocol)
            cases.append({"name": f"{name}, protocol {protocol}", "of": name, "base64": base64.b64encode(data).decode()})
            if protocol in (0, 2):
                older = data.replace(b"numpy._core.", b"numpy.core.")
                cases.append({"name": f"{name}, protocol {protocol}, NumPy 1", "of": name, "base64": base64.b64encode(older).decode()})
    result = {"values": {"authors' form": plain(authors_form()), "values": plain(values())}, "cases": cases}
    out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
