"""Random single-node graphs with the types that onnx.shape_inference gives them.

Usage: python oracles/shape-inference.py > packages/graph/src/shape/shape-inference.golden.json

Each case: inputs {name: [type, shape]}, constants {name: [type, dimensions, values]},
nodes [[operator, inputs, number of outputs, attributes]], types {value: [type, shape or null]}; an unknown size is null.
pooling, where onnx.shape_inference and ONNX Runtime differ (with ceil_mode the former counts windows that begin in the
padding at the end): [operator, size, kernel, stride, begin, end, dilation, output size] as ONNX Runtime computes it.
Drawn from a seed, so the same onnx version writes the same file.
"""

import json
import random
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, shape_inference

OPSET = 18
CASES_EACH = 6
random.seed(20250117)

CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}
NAMES = {code: name for name, code in CODES.items()}


def size_of(dimension):
    """A number, a name that the case gave, or None."""
    if dimension.HasField("dim_value"):
        return dimension.dim_value
    name = dimension.dim_param
    return name if name and not name.startswith("unk__") else None


class Case:
    """Collects one graph."""

    def __init__(self):
        self.inputs, self.constants, self.nodes = {}, {}, []

    def input(self, shape, type="float32"):
        name = f"x{len(self.inputs)}"
        self.inputs[name] = [type, list(shape)]
        return name

    def constant(self, values, type="int64", dimensions=None):
        name = f"c{len(self.constants)}"
        self.constants[name] = [type, [len(values)] if dimensions is None else dimensions, list(values)]
        return name

    def node(self, operator, inputs, outputs=1, **attributes):
        at = len(self.nodes)
        self.nodes.append([operator, inputs, outputs, {k: v for k, v in attributes.items() if v is not None}])
        names = [f"y{at}_{index}" for index in range(outputs)]
        return names[0] if outputs == 1 else names

    def infer(self):
        """The case with its types, or None when onnx says nothing of use."""
        nodes = [
            helper.make_node(op, ins, [f"y{at}_{i}" for i in range(outs)], name=f"n{at}", **attrs)
            for at, (op, ins, outs, attrs) in enumerate(self.nodes)
        ]
        graph = helper.make_graph(
            nodes,
            "case",
            [helper.make_tensor_value_info(n, CODES[t], s) for n, (t, s) in self.inputs.items()],
            [helper.make_empty_tensor_value_info(o) for node in nodes[-1:] for o in node.output],
            [helper.make_tensor(n, CODES[t], d, v) for n, (t, d, v) in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
        types = {}
        for value in [*inferred.value_info, *inferred.output]:
            tensor = value.type.tensor_type
            if tensor.elem_type not in NAMES:
                return None
            shape = None
            if tensor.HasField("shape"):
                shape = [size_of(d) for d in tensor.shape.dim]
            types[value.name] = [NAMES[tensor.elem_type], shape]
        if not types:
            return None
        return {"inputs": self.inputs, "constants": self.constants, "nodes": self.nodes, "types": types}


def size(low=1, high=9):
    return random.randint(low, high)


def shape(rank=None, low=1, high=7):
    return [size(low, high) for _ in range(size(1, 4) if rank is None else rank)]


def broadcastable(base):
    """A shape that broadcasts with `base`."""
    cut = random.randint(0, len(base))
    return [d if random.random() < 0.6 else 1 for d in base[cut:]]


def axis_of(rank):
    return random.randrange(-rank, rank)


def some_axes(rank):
    axes = random.sample(range(rank), random.randint(1, rank))
    return [a - rank if random.random() < 0.3 else a for a in axes]


def window(spatial, dilated=True):
    kernel = [size(1, 4) for _ in spatial]
    attributes = {
        "strides": [size(1, 3) for _ in spatial],
        "dilations": [size(1, 2) if dilated else 1 for _ in spatial],
    }
    if random.random() < 0.3:
        attributes["auto_pad"] = random.choice(["SAME_UPPER", "SAME_LOWER", "VALID"])
    else:
        attributes["pads"] = [random.randint(0, k - 1) for k in kernel + kernel]
    return kernel, attributes


def conv(case):
    rank = size(1, 3)
    spatial = [size(9, 20) for _ in range(rank)]
    group, inner, outer = size(1, 3), size(1, 4), size(1, 4)
    kernel, attributes = window(spatial)
    x = case.input([size(1, 4), group * inner, *spatial])
    w = case.input([group * outer, inner, *kernel])
    b = [case.input([group * outer])] if random.random() < 0.5 else []
    case.node("Conv", [x, w, *b], group=group, **attributes)


def conv_symbolic(case):
    x = case.input(["batch", 3, size(9, 20), size(9, 20)])
    w = case.input([8, 3, 3, 3])
    case.node("Conv", [x, w], strides=[2, 1], pads=[1, 1, 1, 1])


def conv_integer(case):
    x = case.input([size(), 4, 12, 12], "uint8")
    w = case.input([size(), 4, size(1, 3), size(1, 3)], "int8")
    case.node("ConvInteger", [x, w], strides=[size(1, 2)] * 2)


def qlinear_conv(case):
    outer = size()
    x, w = case.input([size(), 4, 12, 12], "uint8"), case.input([outer, 4, 3, 3], "int8")
    scale, zero, wzero = case.input([], "float32"), case.input([], "uint8"), case.input([], "int8")
    case.node("QLinearConv", [x, scale, zero, w, scale, wzero, scale, zero], pads=[1, 1, 0, 0])


def conv_transpose(case):
    spatial = [size(3, 9) for _ in range(size(1, 3))]
    group, inner, outer = size(1, 2), size(1, 3), size(1, 3)
    strides = [size(1, 3) for _ in spatial]
    kernel = [size(2, 4) for _ in spatial]
    attributes = {"strides": strides, "dilations": [size(1, 2) for _ in spatial], "group": group}
    attributes["output_padding"] = [random.randrange(s) for s in strides]
    attributes["pads"] = [random.randint(0, 1) for _ in spatial + spatial]
    x = case.input([size(), group * inner, *spatial])
    case.node("ConvTranspose", [x, case.input([group * inner, outer, *kernel])], **attributes)


def pool(case, operator, outputs=1):
    spatial = [size(9, 20) for _ in range(size(1, 3))]
    kernel, attributes = window(spatial, dilated=operator == "MaxPool")
    if operator == "AveragePool":
        del attributes["dilations"]
        attributes["ceil_mode"] = size(0, 1)
    elif operator == "MaxPool":
        attributes["ceil_mode"] = size(0, 1)
    elif operator == "LpPool":
        attributes["ceil_mode"] = size(0, 1)
    if attributes.get("auto_pad", "").startswith("SAME"):
        attributes["ceil_mode"] = None
    case.node(operator, [case.input([size(), size(), *spatial])], outputs, kernel_shape=kernel, **attributes)


def global_pool(case, operator):
    case.node(operator, [case.input(shape(size(3, 5)))])


def binary(case, operator, type="float32"):
    base = shape()
    a, b = broadcastable(base), base
    if random.random() < 0.5:
        a, b = b, a
    case.node(operator, [case.input(a, type), case.input(b, type)])


def symbolic_binary(case, operator):
    case.node(operator, [case.input(["batch", size(2), 1]), case.input(random.choice([[1, 1, size()], [size(2), 1, 1], [4]]))])


def variadic(case, operator):
    base = shape()
    case.node(operator, [case.input(base), *(case.input(broadcastable(base)) for _ in range(size(1, 3)))])


def unary(case, operator, type="float32", **attributes):
    case.node(operator, [case.input(shape(), type)], **attributes)


def matmul(case, operator="MatMul", type="float32"):
    batch, inner = shape(size(0, 2)), size()
    left = [*broadcastable(batch), size(), inner]
    right = [*batch, inner, size()]
    pick = random.random()
    if pick < 0.15:
        left = [inner]
    elif pick < 0.3:
        right = [inner]
    case.node(operator, [case.input(left, type), case.input(right, type)])


def gemm(case):
    rows, inner, columns = size(), size(), size()
    ta, tb = size(0, 1), size(0, 1)
    a = [inner, rows] if ta else [rows, inner]
    b = [columns, inner] if tb else [inner, columns]
    c = [case.input(random.choice([[columns], [1, columns], [rows, 1], []]))] if random.random() < 0.7 else []
    case.node("Gemm", [case.input(a), case.input(b), *c], transA=ta, transB=tb)


def qlinear_matmul(case):
    rows, inner, columns = size(), size(), size()
    s, z = case.input([]), case.input([], "uint8")
    case.node("QLinearMatMul", [case.input([rows, inner], "uint8"), s, z, case.input([inner, columns], "uint8"), s, z, s, z])


def einsum(case):
    i, j, k, b = size(2), size(2), size(2), size(2)
    equation, shapes = random.choice([
        ("ij,jk->ik", [[i, j], [j, k]]),
        ("bij,bjk->bik", [[b, i, j], [b, j, k]]),
        ("...ij,...jk->...ik", [[b, i, j], [b, j, k]]),
        ("ij->ji", [[i, j]]),
        ("ij,ij->", [[i, j], [i, j]]),
        ("bhid,bhjd->bhij", [[b, 2, i, k], [b, 2, j, k]]),
        ("i,j->ij", [[i], [j]]),
    ])
    case.node("Einsum", [case.input(s) for s in shapes], equation=equation)


def batch_norm(case):
    channels = size()
    x = case.input([size(), channels, *shape(size(0, 2))])
    vectors = [case.input([channels]) for _ in range(4)]
    training = size(0, 1)
    case.node("BatchNormalization", [x, *vectors], 3 if training else 1, training_mode=training)


def layer_norm(case):
    dims = shape(size(2, 4))
    axis = axis_of(len(dims))
    scale = dims[axis:]
    case.node("LayerNormalization", [case.input(dims), case.input(scale), case.input(scale)], size(1, 3), axis=axis)


def instance_norm(case):
    channels = size()
    case.node("InstanceNormalization", [case.input([2, channels, 4, 4]), case.input([channels]), case.input([channels])])


def dropout(case):
    case.node("Dropout", [case.input(shape())], size(1, 2))


def reshape(case):
    dims = [size(1, 4) * 2 for _ in range(size(2, 4))]
    total = 1
    for d in dims:
        total *= d
    target = random.choice([[-1], [0, -1], [2, -1], [total // 2, 2], [-1, total], [0, 2, -1]])
    case.node("Reshape", [case.input(dims), case.constant(target)])


def reshape_symbolic(case):
    target = random.choice([[0, -1], [-1, 24], [0, 0, 12], [0, 24]])
    case.node("Reshape", [case.input(["batch", 2, 3, 4]), case.constant(target)])


def transpose(case):
    dims = shape()
    perm = random.sample(range(len(dims)), len(dims))
    case.node("Transpose", [case.input(dims)], perm=perm if random.random() < 0.8 else None)


def flatten(case):
    dims = shape()
    case.node("Flatten", [case.input(dims)], axis=random.randint(-len(dims), len(dims)))


def squeeze(case):
    dims = shape(4)
    ones = random.sample(range(4), 2)
    for a in ones:
        dims[a] = 1
    axes = [case.constant([a - 4 if random.random() < 0.5 else a for a in ones])] if random.random() < 0.7 else []
    case.node("Squeeze", [case.input(dims), *axes])


def unsqueeze(case):
    dims = shape()
    rank = len(dims) + 2
    axes = [a - rank if random.random() < 0.5 else a for a in random.sample(range(rank), 2)]
    case.node("Unsqueeze", [case.input(dims), case.constant(axes)])


def concat(case):
    dims = shape()
    axis = axis_of(len(dims))
    parts = []
    for _ in range(size(1, 4)):
        part = list(dims)
        part[axis] = size()
        parts.append(case.input(part))
    case.node("Concat", parts, axis=axis)


def split(case):
    dims = shape()
    axis = axis_of(len(dims))
    if random.random() < 0.5:
        sizes = [size() for _ in range(size(1, 4))]
        dims[axis] = sum(sizes)
        case.node("Split", [case.input(dims), case.constant(sizes)], len(sizes), axis=axis)
    else:
        count = size(2, 4)
        part = size(1, 4)
        dims[axis] = part * (count - 1) + size(1, part)
        case.node("Split", [case.input(dims)], count, axis=axis, num_outputs=count)


def slice_(case):
    dims = shape(None, 1, 12)
    axes = random.sample(range(len(dims)), size(1, len(dims)))
    starts = [random.randint(-14, 14) for _ in axes]
    ends = [random.choice([random.randint(-14, 14), 2**31 - 1, -(2**31)]) for _ in axes]
    steps = [random.choice([1, 1, 2, 3, -1, -2]) for _ in axes]
    case.node("Slice", [case.input(dims), *(case.constant(v) for v in (starts, ends, axes, steps))])


def pad(case):
    dims = shape(None, 3, 8)
    if random.random() < 0.5:
        case.node("Pad", [case.input(dims), case.constant([random.randint(-1, 3) for _ in dims + dims])])
    else:
        axes = random.sample(range(len(dims)), size(1, len(dims)))
        pads = [random.randint(0, 3) for _ in axes + axes]
        case.node("Pad", [case.input(dims), case.constant(pads), "", case.constant(axes)])


def expand(case):
    base = shape()
    case.node("Expand", [case.input(broadcastable(base)), case.constant(base)])


def tile(case):
    dims = shape()
    case.node("Tile", [case.input(dims), case.constant([size(1, 3) for _ in dims])])


def gather(case):
    dims = shape()
    case.node("Gather", [case.input(dims), case.input(shape(size(0, 2)), "int64")], axis=axis_of(len(dims)))


def gather_elements(case):
    dims = shape()
    case.node("GatherElements", [case.input(dims), case.input([size(1, d) for d in dims], "int64")], axis=axis_of(len(dims)))


def gather_nd(case):
    dims = shape(4)
    batch = size(0, 1)
    indices = [*dims[:batch], *shape(size(0, 2)), size(1, 4 - batch)]
    case.node("GatherND", [case.input(dims), case.input(indices, "int64")], batch_dims=batch)


def scatter_elements(case):
    dims = shape()
    part = [size(1, d) for d in dims]
    case.node("ScatterElements", [case.input(dims), case.input(part, "int64"), case.input(part)], axis=axis_of(len(dims)))


def scatter_nd(case):
    dims = shape(3)
    depth, rows = size(1, 3), size()
    case.node("ScatterND", [case.input(dims), case.input([rows, depth], "int64"), case.input([rows, *dims[depth:]])])


def measure(case):
    dims = shape(4)
    case.node("Shape", [case.input(dims)], start=random.choice([None, 1, -2]), end=random.choice([None, 3, -1]))


def constant_of_shape(case):
    case.node("ConstantOfShape", [case.constant(shape())])


def range_(case):
    start, limit, step = random.randint(-5, 5), random.randint(6, 20), size(1, 3)
    case.node("Range", [case.constant([v], "int64", []) for v in (start, limit, step)])


def one_hot(case):
    dims = shape()
    case.node("OneHot", [case.input(dims, "int64"), case.constant([size()], "int64", []), case.input([2])], axis=axis_of(len(dims) + 1))


def reduction(case, operator):
    dims = shape()
    inputs = [case.input(dims)]
    if random.random() < 0.8:
        inputs.append(case.constant(some_axes(len(dims))))
    case.node(operator, inputs, keepdims=size(0, 1), noop_with_empty_axes=size(0, 1))


def argument(case, operator):
    dims = shape()
    case.node(operator, [case.input(dims)], axis=axis_of(len(dims)), keepdims=size(0, 1))


def top_k(case):
    dims = shape()
    axis = axis_of(len(dims))
    case.node("TopK", [case.input(dims), case.constant([size(1, dims[axis])])], 2, axis=axis)


def along(case, operator):
    dims = shape()
    case.node(operator, [case.input(dims)], axis=axis_of(len(dims)))


def resize(case):
    dims = shape(4, 2, 9)
    pick = random.random()
    if pick < 0.4:
        scales = [1.0, 1.0, *(random.choice([0.5, 2.0, 1.5, 3.0]) for _ in range(2))]
        case.node("Resize", [case.input(dims), "", case.constant(scales, "float32")], mode="nearest")
    elif pick < 0.7:
        case.node("Resize", [case.input(dims), "", "", case.constant(shape(4))], mode="linear")
    else:
        policy = random.choice(["not_larger", "not_smaller"])
        sizes = case.constant([size(3, 12), size(3, 12)])
        case.node("Resize", [case.input(dims), "", "", sizes], axes=[2, 3], keep_aspect_ratio_policy=policy)


def blocks(case, operator):
    block = size(2, 3)
    dims = [size(), size() * block * block, size(), size()] if operator == "DepthToSpace" else [size(), size(), size() * block, size() * block]
    case.node(operator, [case.input(dims)], blocksize=block)


def recurrent(case, operator, gates, outputs):
    sequence, batch, features, hidden = size(), size(), size(), size()
    bidirectional = random.random() < 0.5
    d = 2 if bidirectional else 1
    layout = size(0, 1)
    x = [batch, sequence, features] if layout else [sequence, batch, features]
    case.node(
        operator,
        [case.input(x), case.input([d, gates * hidden, features]), case.input([d, gates * hidden, hidden])],
        outputs,
        hidden_size=hidden,
        direction="bidirectional" if bidirectional else "forward",
        layout=layout,
    )


def quantize(case):
    dims = shape(3)
    per_axis = random.random() < 0.5
    scale = [dims[1]] if per_axis else []
    type = random.choice(["uint8", "int8"])
    case.node("QuantizeLinear", [case.input(dims), case.input(scale), case.input(scale, type)], axis=1)


def dequantize(case):
    dims = shape(3)
    scale = [dims[1]] if random.random() < 0.5 else []
    case.node("DequantizeLinear", [case.input(dims, "int8"), case.input(scale), case.input(scale, "int8")], axis=1)


def dynamic_quantize(case):
    case.node("DynamicQuantizeLinear", [case.input(shape())], 3)


def where(case):
    base = shape()
    case.node("Where", [case.input(broadcastable(base), "bool"), case.input(base), case.input(broadcastable(base))])


def clip(case):
    case.node("Clip", [case.input(shape()), case.input([]), case.input([])])


def prelu(case):
    dims = shape()
    case.node("PRelu", [case.input(dims), case.input(broadcastable(dims))])


def cast(case):
    case.node("Cast", [case.input(shape())], to=random.choice(list(CODES.values())))


def non_zero(case):
    case.node("NonZero", [case.input(shape())])


def loss(case, operator):
    classes, batch, rest = size(2), size(), shape(size(0, 2))
    reduction = random.choice(["none", "mean", "sum"])
    outputs = size(1, 2) if operator == "SoftmaxCrossEntropyLoss" else 1
    case.node(operator, [case.input([batch, classes, *rest]), case.input([batch, *rest], "int64")], outputs, reduction=reduction)


def trilu(case):
    case.node("Trilu", [case.input(shape(size(2, 4)))], upper=size(0, 1))


def exported_flatten(case):
    """x.view(x.size(0), -1) as exporters write it."""
    x = case.input([size(), size(), size(), size()])
    s = case.node("Shape", [x])
    batch = case.node("Gather", [s, case.constant([0], "int64", [])], axis=0)
    target = case.node("Concat", [case.node("Unsqueeze", [batch, case.constant([0])]), case.constant([-1])], axis=0)
    case.node("Reshape", [x, target])


def exported_heads(case):
    """x.view(n, t, heads, width // heads)."""
    heads = size(2, 4)
    x = case.input([size(), size(), heads * size()])
    s = case.node("Shape", [x])
    width = case.node("Gather", [s, case.constant([2], "int64", [])], axis=0)
    depth = case.node("Div", [width, case.constant([heads], "int64", [])])
    front = case.node("Slice", [s, case.constant([0]), case.constant([2]), case.constant([0])])
    depths = case.node("Unsqueeze", [depth, case.constant([0])])
    target = case.node("Concat", [front, case.constant([heads]), depths], axis=0)
    case.node("Reshape", [x, target])


def random_like(case, operator):
    case.node(operator, [case.input(shape())])


def lrn(case):
    case.node("LRN", [case.input(shape(4, 3, 9))], size=3)


KINDS = [
    conv, conv, conv_symbolic, conv_integer, qlinear_conv, conv_transpose, conv_transpose,
    lambda c: pool(c, "MaxPool", size(1, 2)), lambda c: pool(c, "AveragePool"), lambda c: pool(c, "LpPool"),
    *(lambda c, o=o: global_pool(c, o) for o in ("GlobalAveragePool", "GlobalMaxPool")),
    *(lambda c, o=o: binary(c, o) for o in ("Add", "Div", "Pow", "Mod")),
    *(lambda c, o=o: binary(c, o, "bool") for o in ("And", "Xor")),
    lambda c: binary(c, "Less"), lambda c: binary(c, "Equal", "int64"),
    *(lambda c, o=o: symbolic_binary(c, o) for o in ("Mul", "Sub")),
    *(lambda c, o=o: variadic(c, o) for o in ("Sum", "Max", "Mean")),
    *(lambda c, o=o: unary(c, o) for o in ("LeakyRelu", "Erf", "IsNaN", "Softplus", "Sign")),
    matmul, matmul, lambda c: matmul(c, "MatMulInteger", "uint8"), gemm, qlinear_matmul, einsum,
    batch_norm, layer_norm, instance_norm, dropout, lrn,
    reshape, reshape, reshape_symbolic, transpose, flatten, squeeze, unsqueeze, concat, split, slice_, slice_, slice_, pad, pad,
    expand, tile, gather, gather_elements, gather_nd, scatter_elements, scatter_nd, measure, constant_of_shape, range_, one_hot,
    *(lambda c, o=o: reduction(c, o) for o in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2", "ReduceLogSumExp")),
    *(lambda c, o=o: argument(c, o) for o in ("ArgMax", "ArgMin")),
    top_k, *(lambda c, o=o: along(c, o) for o in ("Softmax", "LogSoftmax", "Hardmax")),
    resize, resize, *(lambda c, o=o: blocks(c, o) for o in ("DepthToSpace", "SpaceToDepth")),
    lambda c: recurrent(c, "LSTM", 4, 3), lambda c: recurrent(c, "GRU", 3, 2), lambda c: recurrent(c, "RNN", 1, 2),
    quantize, dequantize, dynamic_quantize, where, clip, prelu, cast, non_zero, trilu,
    *(lambda c, o=o: loss(c, o) for o in ("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")),
    exported_flatten, exported_heads,
    *(lambda c, o=o: random_like(c, o) for o in ("RandomNormalLike", "RandomUniformLike", "Bernoulli", "Identity")),
]


def executed_pooling(count):
    """Sizes that pooling with ceil_mode has when it is run, on one axis."""
    onnxruntime.set_default_logger_severity(3)
    cases = set()
    while len(cases) < count:
        operator = random.choice(["MaxPool", "AveragePool"])
        kernel, stride, extent = size(1, 4), size(1, 4), size(3, 12)
        begin, end = random.randint(0, kernel - 1), random.randint(0, kernel - 1)
        dilation = size(1, 2) if operator == "MaxPool" else 1
        if dilation * (kernel - 1) + 1 > extent + begin + end:
            continue
        attributes = {"kernel_shape": [kernel], "strides": [stride], "pads": [begin, end], "ceil_mode": 1}
        if dilation > 1:
            attributes["dilations"] = [dilation]
        graph = helper.make_graph(
            [helper.make_node(operator, ["x"], ["y"], **attributes)],
            "pooling",
            [helper.make_tensor_value_info("x", 1, [1, 1, extent])],
            [helper.make_tensor_value_info("y", 1, None)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        output = session.run(None, {"x": np.zeros((1, 1, extent), np.float32)})[0].shape[2]
        cases.add((operator, extent, kernel, stride, begin, end, dilation, output))
    return sorted(cases)


def main():
    cases = []
    refused = 0
    for kind in KINDS:
        for _ in range(CASES_EACH):
            case = Case()
            kind(case)
            try:
                known = case.infer()
            except shape_inference.InferenceError as error:
                refused += 1
                print(case.nodes[-1][0], str(error).splitlines()[-1][:160], file=sys.stderr)
                continue
            if known:
                cases.append(known)
    print(f"{len(cases)} cases, {refused} refused", file=sys.stderr)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    pooling = ",\n".join(json.dumps(case, separators=(",", ":")) for case in executed_pooling(150))
    versions = f'"onnx":"{onnx.__version__}","onnxruntime":"{onnxruntime.__version__}","opset":{OPSET}'
    print(f'{{{versions},"cases":[\n{lines}\n],"pooling":[\n{pooling}\n]}}')


main()
