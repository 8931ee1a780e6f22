"""What ONNX Runtime computes for the operators that @dovetail/graph folds.

    python oracles/constant-folding.py

writes packages/graph/src/passes/fold-constants.golden.json: per case a node, its inputs and its outputs.
"""

import json
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)
cases = []


def described(array):
    array = np.asarray(array)
    text = {np.inf: "Infinity", -np.inf: "-Infinity"}
    values = []
    for value in array.ravel().tolist():
        if isinstance(value, float) and not np.isfinite(value):
            value = "NaN" if np.isnan(value) else text[value]
        values.append(str(value) if isinstance(value, int) and abs(value) > 2**53 else value)
    return {"elementType": str(array.dtype), "dimensions": list(array.shape), "values": values}


def case(operator, inputs, outputs=1, tensor_attributes=None, **attributes):
    inputs = [None if value is None else np.asarray(value) for value in inputs]
    names = ["" if value is None else f"i{index}" for index, value in enumerate(inputs)]
    present = {name: value for name, value in zip(names, inputs) if name}
    tensors = {name: numpy_helper.from_array(value, name) for name, value in (tensor_attributes or {}).items()}
    node = helper.make_node(operator, names, [f"o{index}" for index in range(outputs)], **attributes, **tensors)
    graph = helper.make_graph(
        [node],
        "case",
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in present.items()],
        [helper.make_value_info(f"o{index}", helper.make_tensor_type_proto(0, None)) for index in range(outputs)],
    )
    for output in graph.output:
        output.ClearField("type")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    results = session.run(None, present)
    cases.append(
        {
            "operator": operator,
            "inputs": [None if value is None else described(value) for value in inputs],
            "attributes": attributes,
            "tensorAttributes": {name: described(value) for name, value in (tensor_attributes or {}).items()},
            "outputs": [described(result) for result in results],
        }
    )


def f32(*shape):
    return (random.standard_normal(shape) * 3).astype(np.float32)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype=dtype)


def elementwise():
    edges = np.array([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, np.inf, -np.inf, np.nan], np.float32)
    for operator in ["Neg", "Abs", "Sign", "Exp", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Relu", "Sigmoid", "Tanh"]:
        case(operator, [f32(2, 3)])
        case(operator, [edges])
    case("Log", [np.abs(f32(4))])
    for operator in ["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"]:
        positive = np.abs(f32(2, 1, 3)) + np.float32(0.5)
        case(operator, [positive, np.abs(f32(4, 1))])
        case(operator, [positive, np.float32(2)])
    for operator in ["Add", "Sub", "Mul", "Div", "Min", "Max"]:
        case(operator, [ints(7, -7, 9), ints(2, 2, -4)])
        case(operator, [ints(7, -7, 2**31 - 1, dtype=np.int32), ints(2, 2, 3, dtype=np.int32)])
    case("Add", [ints(2**62, 5), ints(2**62, 1)])
    case("Mul", [ints(2**40, 3), ints(2**40, -1)])
    case("Neg", [ints(3, -4)])
    case("Abs", [ints(3, -4, dtype=np.int32)])
    case("Sign", [ints(3, 0, -4)])
    case("Sum", [f32(2, 3), f32(3), f32(1)])
    case("Max", [f32(2, 3), f32(3), f32(1)])
    for operator in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]:
        case(operator, [f32(3).round(), f32(2, 1).round()])
        case(operator, [ints(1, 2, 3), ints(2)])
        case(operator, [edges, np.zeros(1, np.float32)])
    truth = np.array([True, False, True, False])
    for operator in ["And", "Or", "Xor"]:
        case(operator, [truth, np.array([True, True, False, False])])
    case("Not", [truth])
    case("Where", [truth, f32(3, 4), np.float32(9)])
    case("Where", [truth, ints(1, 2, 3, 4), ints(-1)])
    case("Clip", [f32(6), np.float32(-1), np.float32(1)])
    case("Clip", [f32(6), None, np.float32(1)])
    case("Clip", [f32(6), np.float32(-1)])
    case("Clip", [f32(6)])
    case("Clip", [ints(-5, 0, 5), np.int64(-1), np.int64(3)])
    case("Mod", [ints(7, -7, 7, -7), ints(3, 3, -3, -3)])
    case("Mod", [ints(7, -7, 7, -7, dtype=np.int32), ints(3, 3, -3, -3, dtype=np.int32)])
    case("Mod", [f32(4), f32(4)], fmod=1)
    case("Mod", [ints(7, -7, 7, -7), ints(3, 3, -3, -3)], fmod=1)
    case("Cast", [np.array([1.9, -1.9, 0.0], np.float32)], to=TensorProto.INT64)
    case("Cast", [np.array([1.9, -1.9, 0.0], np.float32)], to=TensorProto.INT32)
    case("Cast", [np.array([0.5, -0.0, np.nan], np.float32)], to=TensorProto.BOOL)
    case("Cast", [ints(2**24 + 1, -3)], to=TensorProto.FLOAT)
    case("Cast", [ints(2**32 + 5, -3)], to=TensorProto.INT32)
    case("Cast", [ints(300, -3)], to=TensorProto.UINT8)
    case("Cast", [truth], to=TensorProto.FLOAT)
    case("Cast", [np.array([1 / 3, 1e300], np.float64)], to=TensorProto.FLOAT)


def movement():
    case("Identity", [f32(2)])
    case("Reshape", [f32(2, 3, 4), ints(0, -1)])
    case("Reshape", [f32(2, 3, 4), ints(-1, 2, 2)])
    case("Reshape", [f32(0, 3), ints(3, 0)], allowzero=1)
    case("Flatten", [f32(2, 3, 4)], axis=2)
    case("Flatten", [f32(2, 3, 4)], axis=-1)
    case("Flatten", [f32(2, 3, 4)], axis=0)
    case("Squeeze", [f32(1, 3, 1)])
    case("Squeeze", [f32(1, 3, 1), ints(-1)])
    case("Unsqueeze", [f32(3, 2), ints(0, -1)])
    case("Unsqueeze", [f32(3, 2), ints(3, 1)])
    case("Transpose", [f32(2, 3, 4)])
    case("Transpose", [f32(2, 3, 4)], perm=[1, 2, 0])
    case("Expand", [f32(3, 1), ints(2, 1, 4)])
    case("Expand", [f32(3), ints(1)])
    case("Concat", [f32(2, 1), f32(2, 3)], axis=1)
    case("Concat", [f32(2, 1, 2), f32(2, 3, 2), f32(2, 2, 2)], axis=-2)
    case("Concat", [ints(1), ints(), ints(2, 3)], axis=0)
    x = f32(4, 5)
    big = 2**63 - 1
    case("Slice", [x, ints(1), ints(3)])
    case("Slice", [x, ints(1, 0), ints(big, 4), ints(1, 0), ints(2, 3)])
    case("Slice", [x, ints(-1), ints(-big), ints(0), ints(-1)])
    case("Slice", [x, ints(-2), ints(1), ints(-1), ints(-1)])
    case("Slice", [x, ints(3), ints(1), ints(0)])
    case("Slice", [x, ints(-100, 100), ints(100, -100), ints(0, 1), ints(1, -2)])
    case("Split", [f32(2, 6), ints(1, 3, 2)], outputs=3, axis=1)
    case("Split", [f32(7)], outputs=3, num_outputs=3)
    case("Split", [f32(4, 2)], outputs=2, axis=-2, num_outputs=2)
    case("Gather", [x, ints(0, -1, 2)])
    case("Gather", [x, np.array([[0, 1], [4, -5]])], axis=1)
    case("Gather", [x, np.int64(2)], axis=-1)
    case("Gather", [x, np.array([1], np.int32)], axis=0)


def creation():
    case("ConstantOfShape", [ints(2, 3)])
    case("ConstantOfShape", [ints(2)], tensor_attributes={"value": ints(7)})
    case("ConstantOfShape", [ints()], tensor_attributes={"value": np.array([True])})
    case("Range", [np.int64(2), np.int64(9), np.int64(3)])
    case("Range", [np.int64(9), np.int64(2), np.int64(-2)])
    case("Range", [np.float32(0), np.float32(1), np.float32(0.25)])
    case("Range", [np.int32(3), np.int32(3), np.int32(1)])
    case("Shape", [f32(2, 3, 4)])
    case("Shape", [f32(2, 3, 4)], start=1)
    case("Shape", [f32(2, 3, 4)], start=-2, end=-1)
    case("Size", [f32(2, 3, 4)])
    for operator in ["ReduceSum", "ReduceProd", "ReduceMin", "ReduceMax"]:
        case(operator, [f32(2, 3, 4)])
        case(operator, [f32(2, 3, 4), ints(1)], keepdims=0)
        case(operator, [f32(2, 3, 4), ints(0, -1)])
        case(operator, [ints(3, -5, 7)], keepdims=0)
        case(operator, [f32(2, 3)], noop_with_empty_axes=1)
        case(operator, [ints(3, -5, 7, dtype=np.int32), ints(0)])


def main():
    elementwise()
    movement()
    creation()
    path = pathlib.Path(__file__).parent.parent / "packages/graph/src/passes/fold-constants.golden.json"
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases)
    path.write_text(f'{{"onnxruntimeVersion":"{onnxruntime.__version__}","cases":[\n{lines}\n]}}\n')


main()
