"""Cuts a small committed part out of the golden results of Auto-NBA's FPGA predictor (facts only).

Usage: python3 oracles/fpga-chunk-subset.py SHARED_FOLDER
Reads data/golden-lab-predictors/fpga-chunk-predictor.json.gz below the shared folder; the optima are those of the
README beside it, found there by enumeration. Writes packages/hardware/src/fpga/fpga-chunk.golden.json.
"""

import gzip
import json
import pathlib
import sys

shared = pathlib.Path(sys.argv[1])
golden = json.load(gzip.open(shared / "data/golden-lab-predictors/fpga-chunk-predictor.json.gz"))
layers = [
    {key: case[key] for key in ("depthwise", "layer", "params", "latencyCycles", "dsp", "bram")}
    for case in golden["layers"][::7]
]
systems = [
    {
        "cifar": case["cifar"],
        "accelerators": case["accelerators"],
        "bottleneckCycles": case["bottleneckCycles"],
        "dspBram": case["dspBram"],
        "fpsAt200MHz": case["fpsAt200MHz"],
        "cyclesByAccelerator": case["cyclesByAccelerator"],
    }
    for case in (golden["systems"][0], golden["systems"][-1])
]
optima = [
    ["cifar", 900, 700, 490968],
    ["cifar", 220, 280, 542832],
    ["cifar", 100, 280, 750288],
    ["cifar", 60, 200, 1165200],
    ["imagenet", 900, 700, 1666984],
    ["imagenet", 220, 280, 1752238.5],
    ["imagenet", 100, 280, 2339784],
    ["imagenet", 60, 200, 3174032],
]
network = {"blocks": golden["systems"][0]["blocks"], "bits": golden["systems"][0]["bits"]}
target = pathlib.Path(__file__).parents[1] / "packages/hardware/src/fpga/fpga-chunk.golden.json"
lists = {"layers": layers, "systems": systems, "optima": optima}
parts = ['"source": "GATECH-EIC/Auto-NBA (MIT), commit 8ddaf3e6, analytical_model/analytical_prediction.py, run unchanged"']
parts.append(f'"network": {json.dumps(network)}')
for name, entries in lists.items():
    parts.append(f'"{name}": [\n  ' + ",\n  ".join(json.dumps(entry) for entry in entries) + "\n]")
target.write_text("{\n" + ",\n".join(parts) + "\n}\n")
