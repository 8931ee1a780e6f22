"""Selects a few Timeloop reference cases for the repository's own tests.

Input: golden-hardware.json (facts recorded from Timeloop's published reference outputs, and from running commit 4cf6d4c).
Output: packages/hardware/src/analysis/timeloop.golden.json: problem, architecture and mapping as Dovetail documents,
and the counts, energies and cycles that Timeloop gives.

    python oracles/select-timeloop-cases.py ../shared/golden/golden-hardware.json
"""

import json
import pathlib
import sys

RANDOM_CASES = ["tlx:0", "tlx:12", "tlx:24", "tlx:30", "tlx:59"]
REFERENCE_CASES = [
    "tl:timeloop/04-model-conv1d+oc-3levelspatial/kp",
    "tl:timeloop/05-mapper-conv1d+oc-3level/freebypass",
    "tl:eyeriss_like",
]
OUTPUT = pathlib.Path(__file__).parent.parent / "packages/hardware/src/analysis/timeloop.golden.json"
COUNTS = {
    "Partition size": "partition",
    "Utilized capacity": "tile",
    "Utilized instances (max)": "instances",
    "Scalar reads (per-instance)": "reads",
    "Scalar fills (per-instance)": "fills",
    "Scalar updates (per-instance)": "updates",
    "Temporal reductions (per-instance)": "temporalReductions",
    "Energy (total)": "energyPj",
}


def loops(entries):
    return [f"{entry[0]}={entry[1]}" for entry in entries]


def term(factors, dimensions, coefficients):
    dimension = next(factor for factor in factors if factor in dimensions)
    coefficient = next((coefficients[factor] for factor in factors if factor != dimension), 1)
    return dimension if coefficient == 1 else f"{coefficient}*{dimension}"


def random_case(case, golden):
    shape, instance = golden["problem_shape"], case["problem_instance"]
    spaces = ["Weights", "Inputs", "Outputs"]
    ranks = {
        name: [
            " + ".join(term(t.split("*"), shape["dimensions"], instance) for t in rank.split("+"))
            for rank in shape[name]
        ]
        for name in spaces
    }
    levels = golden["architecture"]["levels_outer_to_inner"]
    return {
        "id": case["id"],
        "source": {"tool": golden["tool"], "commit": golden["commit"], "provenance": "executed"},
        "problem": {
            "name": "convolution",
            "dimensions": {name: instance[name] for name in shape["dimensions"]},
            "dataSpaces": [
                {"name": name, "readWrite": name == "Outputs", "bitWidth": 16, "projection": ranks[name]}
                for name in spaces
            ],
        },
        "architecture": {
            "name": "five-levels",
            "levels": [
                {"name": level["name"], "storage": {"widthBits": 16, "readPj": 0, "writePj": 0}}
                | (
                    {"fanout": {"x": level["fanout_below"]["X"], "y": level["fanout_below"]["Y"]}}
                    if "fanout_below" in level
                    else {}
                )
                for level in levels[:-1]
            ],
            "compute": {"name": "mac", "energyPj": 0},
        },
        "mapping": {
            "levels": [
                {
                    "level": level["level"],
                    "keep": level["keep"],
                    "temporal": loops(level["temporal_outer_to_inner"]),
                    "spatialY": loops(l for l in level["spatial_outer_to_inner"] if l[2] == "Y"),
                    "spatialX": loops(l for l in level["spatial_outer_to_inner"] if l[2] == "X"),
                }
                for level in case["mapping"]
            ]
        },
        "expected": {
            "computes": case["expected"]["mac"]["computes_total"],
            "units": case["expected"]["mac"]["utilized_instances"],
            "cycles": case["expected"]["mac"]["cycles"],
            "levels": {
                level: {
                    space: {("temporalReductions" if k == "temporal_reductions" else k): v for k, v in counts.items()}
                    for space, counts in spaces_counts.items()
                }
                for level, spaces_counts in case["expected"].items()
                if level != "mac"
            },
        },
    }


def reference_case(case):
    shape, instance = case["problem"]["shape"], case["problem"]["instance"]
    coefficients = {c["name"]: instance.get(c["name"], c["default"]) for c in shape["coefficients"]}
    memories = case["architecture"][:-1]
    compute = case["architecture"][-1]
    energy = case["energy_table_pJ"]
    heads = {(d.get("level"), d.get("operand"), d["stat"]): d["head"] for d in case["head_rerun"].get("differences", [])}

    def level_of(index):
        component = memories[index]
        child = case["architecture"][index + 1]
        level = {"name": component["name"]}
        if component["class"] != "dummy_storage":
            bits = component["datawidth"]
            table = energy[component["name"]]
            level["storage"] = (
                ({"entries": component["depth"]} if "depth" in component else {})
                | {"widthBits": component["width"], "wordBits": bits}
                | {
                    ours: component[theirs] * bits
                    for ours, theirs in [("readBitsPerCycle", "read_bandwidth"), ("writeBitsPerCycle", "write_bandwidth")]
                    if theirs in component
                }
                | {"readPj": table["read"], "writePj": table["write"], "leakagePjPerCycle": table["leak"]}
            )
        if child["instances"] != component["instances"]:
            level["fanout"] = {"x": child["meshX"] // component["meshX"], "y": child["meshY"] // component["meshY"]}
        return level

    levels = case["expected"]["levels"]
    units = next(level for level in levels if level["name"] == compute["name"])
    return {
        "id": case["id"],
        "source": {"tool": "timeloop", **{k: case["source"][k] for k in ("repo", "commit", "path")}},
        "problem": {
            "name": shape["name"],
            "dimensions": {name: instance[name] for name in shape["dimensions"]},
            "dataSpaces": [
                {
                    "name": space["name"],
                    "readWrite": space["read_write"],
                    "bitWidth": 16,
                    "projection": [
                        " + ".join(term(t, shape["dimensions"], coefficients) for t in rank)
                        for rank in space["projection"]
                    ],
                }
                for space in shape["data_spaces"]
            ],
        },
        "architecture": {
            "name": case["id"].split("/")[-1].removeprefix("tl:"),
            "levels": [level_of(index) for index in range(len(memories))],
            "compute": {"name": compute["name"], "energyPj": energy[compute["name"]]["compute"]},
        },
        "mapping": {
            "levels": [
                {
                    "level": level["level"],
                    "keep": list(level["tiles"]),
                    "temporal": loops((l["dim"], l["bound"]) for l in level["loops"] if "spatial" not in l),
                    "spatialY": loops((l["dim"], l["bound"]) for l in level["loops"] if l.get("spatial") == "Y"),
                    "spatialX": loops((l["dim"], l["bound"]) for l in level["loops"] if l.get("spatial") == "X"),
                }
                for level in case["mapping_printed"]
            ]
        },
        "expected": {
            "computes": units["stats"]["Computes (total)"],
            "units": units["stats"]["Utilized instances"],
            "cycles": case["expected"]["summary"]["Cycles"],
            "computeEnergyPj": units["stats"]["Energy (total)"],
            "levels": {
                level["name"]: {
                    operand: {
                        ours: heads.get((level["name"], operand, theirs), stats[theirs]) for theirs, ours in COUNTS.items()
                    }
                    for operand, stats in level["operands"].items()
                }
                for level in levels
                if level["operands"]
            },
        },
    }


def main():
    golden = json.loads(pathlib.Path(sys.argv[1]).read_text())
    executed = golden["timeloop_executed_random"]
    cases = [random_case(case, executed) for case in executed["cases"] if case["id"] in RANDOM_CASES]
    cases += [reference_case(case) for case in golden["timeloop_reference"] if case["id"] in REFERENCE_CASES]
    OUTPUT.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


main()
