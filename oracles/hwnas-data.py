"""Packs the data that @dovetail/nasbench carries, from the reference folders (see packages/nasbench/data/README.md).

    python oracles/hwnas-data.py ../shared/data packages/nasbench/data

Every number is kept as the double that it is. A file is gzip over: the length of a JSON header (uint32, little endian),
the header, then the columns one after the other. A column is "plain" (its bytes, all first bytes before all second
bytes and so on) or "dictionary" (the distinct values, plain, then an index into them, plain, of 1 or 2 bytes).
"""

import gzip
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

OPERATORS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
DATASETS = ["cifar10", "cifar100", "ImageNet16-120"]


def planes(array):
    return array.view(np.uint8).reshape(-1, array.itemsize).T.copy().tobytes()


def encode(values, kind):
    array = np.array([np.nan if v is None else v for v in values], dtype={"float64": "<f8", "uint16": "<u2", "uint8": "u1"}[kind])
    choices = [({"encoding": "plain"}, planes(array))]
    if kind == "float64":
        distinct, index = np.unique(array, return_inverse=True)
        if len(distinct) <= 65536:
            width = 1 if len(distinct) <= 256 else 2
            body = planes(distinct) + planes(index.astype("<u2" if width == 2 else "u1"))
            choices.append(({"encoding": "dictionary", "distinct": len(distinct), "indexBytes": width}, body))
    return min(choices, key=lambda choice: len(zlib.compress(choice[1], 9)))


def write(path, facts, columns):
    entries, bodies = [], []
    for name, kind, values in columns:
        form, body = encode(values, kind)
        entries.append({"name": name, "type": kind, "length": len(values), **form})
        bodies.append(body)
    header = json.dumps({"format": "dovetail-columns", "version": 1, **facts, "columns": entries}, separators=(",", ":")).encode()
    raw = struct.pack("<I", len(header)) + header + b"".join(bodies)
    path.write_bytes(gzip.compress(raw, 9, mtime=0))
    print(f"{path}: {path.stat().st_size} bytes")


def load(path):
    with gzip.open(path) as file:
        return json.load(file)


def cell_code(text):
    operators = [edge.split("~")[0] for node in text.split("+") for edge in node.strip("|").split("|")]
    code = 0
    for operator in operators:
        code = code * 5 + OPERATORS.index(operator)
    return code


def main(data, out):
    measured, trained = data / "hw-nas-bench", data / "nas-bench-201"
    strings = (measured / "nasbench201-architectures.txt").read_text().split()
    latency = load(measured / "nasbench201-cifar10-latency-ms.json.gz")
    subset = load(measured / "nasbench201-cifar10-subset1999-latency-ms.json.gz")
    test = load(trained / "test-accuracy-200-epochs.json.gz")
    full = load(trained / "full-test-accuracy-and-training-time.json.gz")
    columns = [("architecture", "uint16", [cell_code(text) for text in strings])]
    columns += [(f"cifar10/{device}_latency", "float64", latency[device]) for device in ("raspi4", "pixel3", "eyeriss", "fpga")]
    columns += [("subset", "uint16", subset["index"])]
    columns += [(f"subset/cifar10/{device}_latency", "float64", subset["latencyMs"][device]) for device in ("edgegpu", "edgetpu")]
    columns += [(f"{name}/test_accuracy", "float64", test[name]) for name in DATASETS]
    columns += [(f"{name}/full_test_accuracy", "float64", full[name]["fullTestAccuracyPercent"]) for name in DATASETS[1:]]
    # An epoch of CIFAR-100 takes the source's very seconds of CIFAR-10.
    columns += [(f"{name}/train_seconds_per_epoch", "float64", full[name]["trainSecondsPerEpoch"]) for name in ("cifar10", "ImageNet16-120")]
    write(out / "nas-bench-201.columns.gz", {"content": "nas-bench-201"}, columns)

    tables = load(measured / "fbnet-operator-tables.json.gz")["metrics"]
    samples = load(measured / "fbnet-samples.json.gz")
    keys = sorted(tables["edgegpu_latency"])
    columns = [(metric, "float64", [table[key] for key in keys]) for metric, table in tables.items()]
    columns += [("samples", "uint8", [operator for network in samples["architectures"] for operator in network])]
    columns += [(f"samples/{device}_latency", "float64", samples["latencyMs"][device]) for device in ("raspi4", "pixel3", "eyeriss", "fpga")]
    write(out / "fbnet.columns.gz", {"content": "fbnet", "keys": keys}, columns)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
