"""Small ONNX files made by the reference implementation (the PyPI package `onnx`), which @dovetail/graph must read.

    python oracles/onnx-models.py

writes packages/graph/src/onnx/peer-models.golden.json: per model the file, base64, and what the reference knows of it.
Weights come from a fixed formula, so the files are the same on every run of the same version of `onnx`.
"""

import base64
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def weights(name, *shape):
    values = np.sin(np.arange(int(np.prod(shape)), dtype=np.float64) * 0.7 + len(name)).astype(np.float32)
    return helper.make_tensor(name, FLOAT, shape, values)  # in float_data, not in raw_data


def info(name, shape, element_type=FLOAT):
    return helper.make_tensor_value_info(name, element_type, shape)


def model(graph, opset, ir_version, functions=(), more_opsets=()):
    opsets = [helper.make_opsetid("", opset), *more_opsets]
    made = helper.make_model(graph, opset_imports=opsets, functions=list(functions), producer_name="onnx-helper")
    made.ir_version = ir_version
    return made


def convolutional_11():
    """Operator set 11, weights also among the inputs, as IR version 3 demanded."""
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c1", "gamma", "beta", "mean", "var"], ["n1"], epsilon=1e-3),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("LRN", ["r1"], ["l1"], size=3),
        helper.make_node("MaxPool", ["l1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Dropout", ["p1"], ["d1"], ratio=0.25),
        helper.make_node("ReduceMean", ["d1"], ["m1"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["m1", "w2"], ["g1"], transB=1),
        helper.make_node("Softmax", ["g1"], ["probabilities"]),
    ]
    positive = helper.make_tensor("var", FLOAT, [4], [0.5, 1.0, 1.5, 2.0])
    initializers = [weights("w1", 4, 3, 3, 3), weights("b1", 4), weights("gamma", 4), weights("beta", 4)]
    initializers += [weights("mean", 4), positive, weights("w2", 5, 4)]
    inputs = [info("image", ["batch", 3, 8, 8])] + [info(t.name, list(t.dims)) for t in initializers]
    return model(helper.make_graph(nodes, "cnn", inputs, [info("probabilities", ["batch", 5])], initializers), 11, 3)


def old_forms_11():
    """Every operator whose form changed between 11 and 18, in its form of 11."""
    nodes = [
        helper.make_node("Unsqueeze", ["x"], ["unsqueezed"], axes=[0, 4]),
        helper.make_node("Squeeze", ["unsqueezed"], ["squeezed"], axes=[0, 4]),
        helper.make_node("ReduceSum", ["squeezed"], ["summed"], axes=[1], keepdims=1),
        helper.make_node("ReduceMax", ["x"], ["largest"], axes=[-1], keepdims=0),
        helper.make_node("ReduceL2", ["x"], ["norm"]),
        helper.make_node("Split", ["x"], ["left", "right"], axis=2, split=[1, 3]),
        helper.make_node("Split", ["x"], ["half_a", "half_b"], axis=0),
        helper.make_node("Softmax", ["x"], ["softmax_flat"], axis=1),
        helper.make_node("LogSoftmax", ["x"], ["log_softmax_last"], axis=2),
        helper.make_node("Hardmax", ["x"], ["hardmax_flat"], axis=0),
        helper.make_node("Dropout", ["x"], ["dropped"], ratio=0.1),
        helper.make_node("Unsqueeze", ["x"], ["image"], axes=[0]),
        helper.make_node("Resize", ["image", "empty", "scales"], ["resized"], mode="nearest"),
        helper.make_node("Resize", ["image", "empty", "empty", "sizes"], ["resized_to"], mode="nearest"),
        helper.make_node("BatchNormalization", ["image", "s", "b", "m", "v"], ["normal", "", "", "", ""]),
        helper.make_node("RoiAlign", ["image", "rois", "batch_indices"], ["aligned"], output_height=2, output_width=2),
    ]
    outputs = {"summed": [2, 1, 4], "largest": [2, 3], "norm": [1, 1, 1], "left": [2, 3, 1], "right": [2, 3, 3]}
    outputs |= {"half_a": [1, 3, 4], "half_b": [1, 3, 4], "softmax_flat": [2, 3, 4], "log_softmax_last": [2, 3, 4]}
    outputs |= {"hardmax_flat": [2, 3, 4], "dropped": [2, 3, 4], "resized": [1, 2, 6, 8], "resized_to": [1, 2, 6, 8]}
    outputs |= {"normal": [1, 2, 3, 4], "aligned": [1, 2, 2, 2]}
    initializers = [
        helper.make_tensor("empty", FLOAT, [0], []),
        helper.make_tensor("scales", FLOAT, [4], [1, 1, 2, 2]),
        helper.make_tensor("sizes", INT64, [4], [1, 2, 6, 8]),
        weights("s", 2), weights("b", 2), weights("m", 2), helper.make_tensor("v", FLOAT, [2], [1.0, 0.5]),
        helper.make_tensor("rois", FLOAT, [1, 4], [0.0, 0.0, 3.0, 2.0]),
        helper.make_tensor("batch_indices", INT64, [1], [0]),
    ]
    graph = helper.make_graph(nodes, "old_forms", [info("x", [2, 3, 4])], [info(o, s) for o, s in outputs.items()], initializers)
    return model(graph, 11, 6)


def constants_13():
    """Constants in all their attributes, and a Softmax along one axis."""
    nodes = [
        helper.make_node("Constant", [], ["c_int"], value_int=3),
        helper.make_node("Constant", [], ["c_ints"], value_ints=[0, -1]),
        helper.make_node("Constant", [], ["c_float"], value_float=0.5),
        helper.make_node("Constant", [], ["c_tensor"], value=helper.make_tensor("t", INT64, [1], [1])),
        helper.make_node("Reshape", ["x", "c_ints"], ["reshaped"]),
        helper.make_node("Mul", ["reshaped", "c_float"], ["scaled"]),
        helper.make_node("Squeeze", ["x", "c_tensor"], ["squeezed"]),
        helper.make_node("Softmax", ["scaled"], ["y"], axis=0),
        helper.make_node("Split", ["x"], ["a", "b"], axis=2),
    ]
    graph = helper.make_graph(
        nodes, "constants", [info("x", [2, 1, 4])],
        [info("y", [2, 4]), info("squeezed", [2, 4]), info("c_int", [], INT64), info("a", [2, 1, 2]), info("b", [2, 1, 2])],
    )
    return model(graph, 13, 7)


def control_flow_18():
    """If and Loop whose bodies use values of the surrounding graph."""
    then_graph = helper.make_graph([helper.make_node("Add", ["x", "one"], ["t"])], "then", [], [info("t", ["n", 4])])
    else_graph = helper.make_graph(
        [helper.make_node("Sub", ["x", "two"], ["e"])], "else", [], [info("e", ["n", 4])], [weights("two", 4)]
    )
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Mul", ["carried", "one"], ["scaled"]),
            helper.make_node("Add", ["scaled", "chosen"], ["next"]),
            helper.make_node("ReduceSum", ["next"], ["seen"], keepdims=0),
        ],
        "body",
        [info("i", [], INT64), info("go", [], TensorProto.BOOL), info("carried", ["n", 4])],
        [info("go_on", [], TensorProto.BOOL), info("next", ["n", 4]), info("seen", [])],
    )
    nodes = [
        helper.make_node("If", ["flag"], ["chosen"], then_branch=then_graph, else_branch=else_graph),
        helper.make_node("Loop", ["trips", "", "x"], ["final", "history"], body=body),
    ]
    graph = helper.make_graph(
        nodes, "control", [info("flag", [], TensorProto.BOOL), info("x", ["n", 4])],
        [info("final", ["n", 4]), info("history", [None])],
        [weights("one", 4), helper.make_tensor("trips", INT64, [], [3])],
    )
    return model(graph, 18, 8)


def functions_18():
    """A model-local function with an attribute of its caller's, one with a default, and an unknown operator."""
    scaled = helper.make_node("Constant", [], ["factor"])
    reference = scaled.attribute.add()
    reference.name, reference.ref_attr_name, reference.type = "value_float", "scale", onnx.AttributeProto.FLOAT
    leaky = helper.make_node("LeakyRelu", ["product"], ["result"])
    reference = leaky.attribute.add()
    reference.name, reference.ref_attr_name, reference.type = "alpha", "slope", onnx.AttributeProto.FLOAT
    function = helper.make_function(
        "example", "ScaledLeaky", ["value"], ["result"],
        [scaled, helper.make_node("Mul", ["value", "factor"], ["product"]), leaky],
        [helper.make_opsetid("", 18)], ["scale"], [helper.make_attribute("slope", 0.1)],
    )
    nodes = [
        helper.make_node("ScaledLeaky", ["x"], ["y"], domain="example", scale=0.5),
        helper.make_node("Mystery", ["y"], ["z"], domain="elsewhere", words=["a", "b"], numbers=[0.5, 2.0], word="c"),
        helper.make_node("Relu", ["z"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes, "functions", [info("x", ["n", 4])], [info("out", ["n", 2])],
        value_info=[info("y", ["n", 4]), info("z", ["n", 2])],
    )
    return model(graph, 18, 8, [function], [helper.make_opsetid("example", 1), helper.make_opsetid("elsewhere", 2)])


def element_types_21():
    """A constant of every element type that is read, as raw bytes and as lists, and 4-bit dequantization."""
    numpy_types = [np.float32, np.float64, np.float16, np.int8, np.uint8, np.int16, np.uint16]
    numpy_types += [np.int32, np.uint32, np.int64, np.uint64, np.bool_]
    initializers = []
    for numpy_type in numpy_types:
        values = np.array([0, 1, 1, 0, 1]).astype(numpy_type)
        if numpy_type is not np.bool_:
            values[1] = numpy_type(100)
        element_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        raw = numpy_helper.from_array(values, f"raw_{values.dtype}")
        listed = helper.make_tensor(f"listed_{values.dtype}", element_type, [5], values)
        initializers += [raw, listed]
    for raw in (False, True):
        for name, element_type in [("int4", TensorProto.INT4), ("uint4", TensorProto.UINT4)]:
            values = [1, -2, 7] if name == "int4" else [1, 14, 7]
            if raw:
                packed = bytes([(values[0] & 15) | (values[1] & 15) << 4, values[2] & 15])
                initializers.append(helper.make_tensor(f"raw_{name}", element_type, [3], packed, raw=True))
            else:
                initializers.append(helper.make_tensor(f"listed_{name}", element_type, [3], values))
    initializers.append(helper.make_tensor("listed_bfloat16", TensorProto.BFLOAT16, [2], [1.0, -2.5]))
    initializers.append(helper.make_tensor("listed_string", TensorProto.STRING, [2], ["grün", ""]))
    nodes = [
        helper.make_node("DequantizeLinear", ["raw_int4", "scale"], ["y"]),
        helper.make_node("QuantizeLinear", ["y", "scale", "listed_int16_zero"], ["q"]),
    ]
    initializers.append(helper.make_tensor("scale", FLOAT, [], [0.5]))
    initializers.append(helper.make_tensor("listed_int16_zero", TensorProto.INT16, [], [0]))
    outputs = [info("y", [3]), info("q", [3], TensorProto.INT16)]
    return model(helper.make_graph(nodes, "types", [], outputs, initializers), 21, 10)


def external_18():
    """One weight in a file beside the model, at an offset."""
    inside, outside = weights("inside", 4), weights("outside", 4, 4)
    blob = bytes(64) + numpy_helper.to_array(outside).tobytes()
    outside.ClearField("float_data")
    outside.data_location = TensorProto.EXTERNAL
    for key, value in [("location", "weights.bin"), ("offset", "64"), ("length", "64")]:
        entry = outside.external_data.add()
        entry.key, entry.value = key, value
    nodes = [helper.make_node("MatMul", ["x", "outside"], ["p"]), helper.make_node("Add", ["p", "inside"], ["y"])]
    graph = helper.make_graph(nodes, "external", [info("x", ["n", 4])], [info("y", ["n", 4])], [inside, outside])
    return model(graph, 18, 8), blob


def described(made, blob=None):
    entry = {"base64": base64.b64encode(made.SerializeToString(deterministic=True)).decode()}
    if blob is None:
        checker.check_model(made)
        inferred = shape_inference.infer_shapes(made, strict_mode=False)
        types = {}
        for value in [*inferred.graph.value_info, *inferred.graph.output]:
            tensor = value.type.tensor_type
            shape = [d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim]
            types[value.name] = {"elementTypeCode": tensor.elem_type, "shape": shape if tensor.HasField("shape") else None}
        entry["types"] = types
    else:
        entry["externalBase64"] = base64.b64encode(blob).decode()
    entry["constants"] = {
        t.name: [str(v) if isinstance(v, str) else float(v) for v in numpy_helper.to_array(t).ravel()]
        for t in made.graph.initializer
        if t.data_location != TensorProto.EXTERNAL
    }
    return entry


def main():
    models = {
        f.__name__: described(f())
        for f in [convolutional_11, old_forms_11, constants_13, control_flow_18, functions_18, element_types_21]
    }
    models["external_18"] = described(*external_18())
    path = pathlib.Path(__file__).parent.parent / "packages/graph/src/onnx/peer-models.golden.json"
    path.write_text(json.dumps({"onnxVersion": onnx.__version__, "models": models}, indent=1, ensure_ascii=False) + "\n")


main()
