"""Chooses the ZigZag cases that packages/hardware/src/zigzag/zigzag.golden.json keeps.

Usage: select-zigzag-cases.py golden-hardware.json OUTPUT

The golden file is the collected one (specs, section 7): inputs of ZigZag's own tests at commit 3d12a96e, and what the
tool gave for them. Kept are four layers with every figure on the way, on four accelerators, and the matrix product.
"""

import json
import sys

KEPT = (
    "zz:tpu_like/r18_conv2/os",
    "zz:ascend_like/r18_conv3_s2/os",
    "zz:meta_prototype/r18_down/ws",
    "zz:tesla_npu_like/r18_conv2/is",
)
FIELDS = ("id", "hardware", "mapping", "workload", "energy_pJ", "latency_cycles", "detail")


def main(source: str, target: str) -> None:
    with open(source, encoding="utf8") as file:
        golden = json.load(file)
    reference = golden["zigzag_reference"]
    cases = [case for case in golden["zigzag_executed_fixed_order"]["cases"] if case["id"] in KEPT]
    product = next(test for test in reference["tests"] if test["id"].endswith("gemm_l1/gemm_layer.yaml"))
    names = sorted({case["hardware"] for case in cases} | {"gemm_l1"})
    selected = {
        "source": "KULeuven-MICAS/zigzag, commit 3d12a96e: inputs of its tests, and what the tool gave for them",
        "hardware": {name: reference["hardware"][name] for name in names},
        "fixedOrder": [{field: case[field] for field in FIELDS} for case in cases],
        "gemm": {
            "hardware": "gemm_l1",
            "mapping": reference["mappings"]["gemm_l1"],
            "workload": reference["workload_gemm_layer"],
            **product["expected"],
        },
    }
    with open(target, "w", encoding="utf8") as file:
        json.dump(selected, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
