"""The operators of ONNX's own domain in operator set 18, deprecated ones left out.

Usage: python oracles/onnx-operators.py > packages/graph/src/shape/onnx-operators.golden.json
"""

import json

import onnx

OPSET = 18

newest = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "" and schema.since_version <= OPSET:
        known = newest.get(schema.name)
        if known is None or known.since_version < schema.since_version:
            newest[schema.name] = schema

operators = sorted(name for name, schema in newest.items() if not schema.deprecated)
print(json.dumps({"onnx": onnx.__version__, "opset": OPSET, "operators": operators}, separators=(",", ":")))
