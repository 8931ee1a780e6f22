"""Golden gradients from PyTorch for the gradient rules of @dovetail/graph.

Usage: python oracles/gradients.py

Writes into packages/runtime/src/gradients/
  operators.golden.json: one operator a case, inputs, result, the gradient that arrives, gradients to the inputs;
  networks.golden.json: whole networks, parameters, loss, gradients to all parameters (see networks() below).
PyTorch computes in float64 on inputs that are exact in float32; figures are stored in float32.
"""

import base64
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

TARGET = pathlib.Path(__file__).resolve().parent.parent / "packages" / "runtime" / "src" / "gradients"
random = np.random.default_rng(20240229)
cases = []


def stored(array):
    array = np.asarray(array)
    if array.dtype == np.int64 or array.dtype == bool:
        kind = "int64" if array.dtype == np.int64 else "bool"
        return {"type": kind, "shape": list(array.shape), "data": [int(v) for v in array.ravel()]}
    data = base64.b64encode(array.astype("<f4").tobytes()).decode()
    return {"type": "float32", "shape": list(array.shape), "data": data}


def normal(*shape):
    return random.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return random.uniform(0.3, 2.0, shape).astype(np.float32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def steps(*shape, levels=5):
    """Few different values, so that there are ties and exact zeros."""
    return random.integers(-(levels // 2), levels // 2 + 1, shape).astype(np.float32)


def real(value):
    return {"float": float(value)}


def case(name, operator, inputs, function, attributes=None, constants=(), without=(), outputs=1, domain=None):
    """`without`: float inputs whose gradient is not asked for."""
    tensors = []
    for index, value in enumerate(inputs):
        if value is None:
            tensors.append(None)
        elif value.dtype == np.float32:
            wanted = index not in constants and index not in without
            tensors.append(torch.tensor(value.astype(np.float64), requires_grad=wanted))
        else:
            tensors.append(torch.tensor(value))
    y = function(*tensors)
    dy = normal(*y.shape)
    sources = [t for t in tensors if t is not None and t.requires_grad]
    found = iter(torch.autograd.grad((y * torch.tensor(dy.astype(np.float64))).sum(), sources, allow_unused=True))
    gradients = []
    for tensor in tensors:
        if tensor is None or not tensor.requires_grad:
            gradients.append(None)
            continue
        gradient = next(found)
        gradients.append(stored(np.zeros(tensor.shape, np.float32) if gradient is None else gradient.numpy()))
    cases.append(
        {
            "name": f"{operator}: {name}",
            "operator": operator,
            **({"domain": domain} if domain else {}),
            "attributes": attributes or {},
            "inputs": [None if value is None else stored(value) for value in inputs],
            "constants": list(constants),
            "outputs": outputs,
            "y": stored(y.detach().numpy()),
            "dy": stored(dy),
            "gradients": gradients,
        }
    )


def elementwise():
    x = normal(3, 5)
    for operator, function in {
        "Identity": lambda x: x * 1,
        "Neg": torch.neg,
        "Exp": torch.exp,
        "Sin": torch.sin,
        "Cos": torch.cos,
        "Tan": torch.tan,
        "Atan": torch.atan,
        "Sinh": torch.sinh,
        "Cosh": torch.cosh,
        "Asinh": torch.asinh,
        "Erf": torch.erf,
        "Round": torch.round,
        "Floor": torch.floor,
        "Ceil": torch.ceil,
        "Sign": torch.sign,
        "Sigmoid": torch.sigmoid,
        "Tanh": torch.tanh,
        "Softplus": F.softplus,
        "Softsign": F.softsign,
        "Mish": F.mish,
    }.items():
        case("plain", operator, [x], function)
    inside = random.uniform(-0.9, 0.9, (3, 5)).astype(np.float32)
    case("plain", "Asin", [inside], torch.asin)
    case("plain", "Acos", [inside], torch.acos)
    case("plain", "Atanh", [inside], torch.atanh)
    case("plain", "Acosh", [positive(3, 5) + 1], torch.acosh)
    case("plain", "Log", [positive(3, 5)], torch.log)
    case("plain", "Sqrt", [positive(3, 5)], torch.sqrt)
    case("plain", "Reciprocal", [positive(3, 5)], torch.reciprocal)
    case("with zeros", "Abs", [steps(4, 5)], torch.abs)
    case("with zeros", "Relu", [steps(4, 5)], torch.relu)
    case("with zeros", "LeakyRelu", [steps(4, 5)], lambda x: F.leaky_relu(x, 0.2), {"alpha": real(0.2)})
    case("default slope", "LeakyRelu", [normal(4, 5)], lambda x: F.leaky_relu(x, 0.01))
    case("with zeros", "Elu", [steps(4, 5)], lambda x: F.elu(x, 1.5), {"alpha": real(1.5)})
    case("with zeros", "Selu", [steps(4, 5)], F.selu)
    case("with zeros", "Celu", [steps(4, 5)], lambda x: F.celu(x, 0.7), {"alpha": real(0.7)})
    case("with its corner", "ThresholdedRelu", [steps(4, 5)], lambda x: F.threshold(x, 1.0, 0.0), {"alpha": real(1)})
    wide = np.linspace(-5, 5, 31).astype(np.float32).reshape(1, 31)
    case("across both corners", "HardSigmoid", [wide], F.hardsigmoid, {"alpha": real(1 / 6)})
    case("across both corners", "HardSwish", [wide], F.hardswish)
    slopes = normal(3, 1, 1)
    case("slope per channel", "PRelu", [normal(2, 3, 2, 3), slopes], lambda x, s: F.prelu(x, s.reshape(3)))
    case("one slope, zeros", "PRelu", [steps(4, 5), normal(1)], lambda x, s: F.prelu(x, s))
    bounds = [np.float32(-1.0), np.float32(1.0)]
    low, high = (np.array(bound, dtype=np.float32) for bound in bounds)
    case("with its bounds hit", "Clip", [steps(5, 5), low, high], lambda x, *_: torch.clamp(x, -1.0, 1.0), constants=(1, 2))
    case("at zero and six", "Clip", [steps(5, 5), low * 0, high * 6], lambda x, *_: F.relu6(x), constants=(1, 2))
    case("learnt bounds", "Clip", [normal(5, 5), low * 0.7, high * 0.6], torch.clamp)
    case("bounds crossed", "Clip", [normal(5, 5), high, low], torch.clamp)
    case("maximum alone", "Clip", [normal(5, 5), None, high], lambda x, _, high: torch.minimum(x, high), constants=(2,))
    case("minimum alone", "Clip", [normal(5, 5), low], lambda x, low: torch.clamp(x, min=low))


def arithmetic():
    shapes = {
        "same": ((2, 3, 4), (2, 3, 4)),
        "row": ((2, 3, 4), (4,)),
        "column": ((2, 3, 4), (3, 1)),
        "both ways": ((2, 1, 4), (3, 1)),
        "scalar": ((2, 3), ()),
        "higher rank on the right": ((3,), (2, 2, 3)),
        "vector of one": ((2, 3), (1,)),
    }
    for label, (a, b) in shapes.items():
        case(label, "Add", [normal(*a), normal(*b)], torch.add)
        case(label, "Sub", [normal(*a), normal(*b)], torch.sub)
        case(label, "Mul", [normal(*a), normal(*b)], torch.mul)
        case(label, "Div", [normal(*a), positive(*b)], torch.div)
    case("broadcast", "Pow", [positive(2, 3, 4), normal(3, 1)], torch.pow)
    case("zero base and exponent", "Pow", [np.abs(steps(4, 5)), np.abs(steps(4, 5))], torch.pow)
    for exponent in (2.0, 3.0, 0.5, -1.0, 0.0, 1.0):
        base = positive(3, 4) if exponent in (0.5, -1.0) else normal(3, 4)
        power = np.array(exponent, dtype=np.float32)
        case(f"constant {exponent}", "Pow", [base, power], torch.pow, constants=(1,))
    case("with integers", "Pow", [normal(3, 4), ints(3)], lambda a, b: a**b)
    case("of floats", "Mod", [normal(3, 4) * 3, positive(4)], torch.fmod, {"fmod": 1})
    for operator, function in {"Min": torch.minimum, "Max": torch.maximum}.items():
        case("ties", operator, [steps(4, 5), steps(4, 5)], function)
        case("broadcast ties", operator, [steps(4, 5), steps(4, 1)], function)
        case("against a constant", operator, [steps(4, 5), np.array(0, np.float32)], function, constants=(1,))
    three = [normal(2, 3), normal(3), normal(2, 1)]
    case("three", "Sum", three, lambda a, b, c: a + b + c)
    case("three", "Mean", three, lambda a, b, c: (a + b + c) / 3)
    case("one", "Sum", [normal(2, 3)], lambda a: a * 1)
    condition = random.integers(0, 2, (2, 3)).astype(bool)
    case("same", "Where", [condition, normal(2, 3), normal(2, 3)], torch.where)
    case("broadcast", "Where", [condition, normal(3), normal(2, 2, 1)], torch.where)
    case("a scalar branch", "Where", [condition, normal(2, 3), np.array(-1, np.float32)], torch.where, constants=(2,))
    case("narrower", "Expand", [normal(3, 1), ints(2, 3, 4)], lambda x, _: x.expand(2, 3, 4), constants=(1,))
    case("two-way", "Expand", [normal(2, 3, 1), ints(1, 4)], lambda x, _: x.expand(2, 3, 4), constants=(1,))


def linear():
    forms = {
        "matrices": ((3, 4), (4, 5)),
        "batched": ((2, 3, 4), (2, 4, 5)),
        "batched left": ((2, 3, 4), (4, 5)),
        "batched right": ((3, 4), (2, 4, 5)),
        "broadcast batches": ((2, 1, 3, 4), (3, 4, 5)),
        "four axes": ((2, 2, 3, 4), (4, 5)),
        "vector on the left": ((4,), (2, 4, 5)),
        "vector on the right": ((2, 3, 4), (4,)),
        "vector and matrix": ((4,), (4, 5)),
        "matrix and vector": ((3, 4), (4,)),
        "vectors": ((4,), (4,)),
    }
    for label, (a, b) in forms.items():
        case(label, "MatMul", [normal(*a), normal(*b)], torch.matmul)
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = normal(*((4, 3) if trans_a else (3, 4)))
            b = normal(*((5, 4) if trans_b else (4, 5)))

            def gemm(a, b, c=None, alpha=0.5, beta=2.0, trans_a=trans_a, trans_b=trans_b):
                product = alpha * ((a.T if trans_a else a) @ (b.T if trans_b else b))
                return product if c is None else product + beta * c

            attributes = {"alpha": real(0.5), "beta": real(2), "transA": trans_a, "transB": trans_b}
            case(f"transposes {trans_a}{trans_b}, row", "Gemm", [a, b, normal(5)], gemm, attributes)
            case(f"transposes {trans_a}{trans_b}, alone", "Gemm", [a, b], gemm, attributes)
    for label, c in {"column": (3, 1), "scalar": (), "matrix": (3, 5)}.items():
        case(f"plain, {label}", "Gemm", [normal(3, 4), normal(4, 5), normal(*c)], lambda a, b, c: a @ b + c)


def convolution():
    def conv(x, w, bias=None, strides=None, pads=None, dilations=None, group=1):
        axes = w.dim() - 2
        pads = pads or [0] * (2 * axes)
        flat = [p for axis in reversed(range(axes)) for p in (pads[axis], pads[axes + axis])]
        run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[axes]
        return run(F.pad(x, flat), w, bias, strides or 1, 0, dilations or 1, group)

    configurations = {
        "3×3 same": ((2, 3, 6, 6), (4, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
        "1×1": ((2, 3, 5, 4), (4, 3, 1, 1), {}),
        "1×1 stride 2": ((2, 3, 7, 6), (4, 3, 1, 1), {"strides": [2, 2]}),
        "3×3 stride 2 odd": ((2, 3, 7, 9), (4, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        "3×3 stride 2 even": ((2, 3, 8, 6), (4, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        "unequal pads": ((1, 2, 7, 5), (3, 2, 3, 2), {"pads": [0, 1, 2, 0], "strides": [2, 1]}),
        "dilation": ((1, 2, 9, 8), (3, 2, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
        "stride and dilation": ((1, 2, 11, 10), (3, 2, 3, 2), {"dilations": [2, 1], "strides": [3, 2]}),
        "stride beyond the kernel": ((1, 2, 11, 9), (3, 2, 2, 2), {"strides": [4, 3]}),
        "groups": ((2, 4, 5, 6), (6, 2, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]}),
        "groups, stride": ((2, 6, 7, 6), (3, 2, 3, 3), {"group": 3, "strides": [2, 2]}),
        "depth-wise": ((2, 4, 6, 7), (4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
        "depth-wise stride 2": ((2, 4, 7, 8), (4, 1, 5, 5), {"group": 4, "pads": [2, 2, 2, 2], "strides": [2, 2]}),
        "depth-wise multiplier": ((2, 3, 6, 6), (6, 1, 3, 3), {"group": 3, "dilations": [2, 2]}),
        "whole image": ((2, 3, 4, 4), (5, 3, 4, 4), {}),
        "signal": ((2, 3, 11), (4, 3, 4), {"strides": [2], "pads": [1, 2]}),
        "signal in groups": ((2, 4, 9), (4, 2, 3), {"group": 2, "dilations": [2]}),
        "volume": ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), {"pads": [1, 0, 0, 0, 1, 1], "strides": [1, 2, 2]}),
        "depth-wise volume": ((1, 3, 4, 4, 4), (3, 1, 3, 3, 3), {"group": 3, "pads": [1] * 6}),
    }
    for label, (x, w, attributes) in configurations.items():
        def run(x, w, bias=None, attributes=attributes):
            return conv(x, w, bias, **attributes)

        case(label, "Conv", [normal(*x), normal(*w), normal(w[0])], run, attributes)
    case("without bias", "Conv", [normal(1, 2, 5, 5), normal(3, 2, 3, 3)], conv)
    same = {"SAME_UPPER": [0, 0, 1, 1], "SAME_LOWER": [1, 1, 0, 0]}
    for auto_pad, pads in same.items():
        def run(x, w, pads=pads):
            return conv(x, w, pads=pads, strides=[2, 2])

        case(
            auto_pad, "Conv", [normal(1, 2, 6, 8), normal(3, 2, 3, 3)], run,
            {"auto_pad": auto_pad, "strides": [2, 2]},
        )
    case("VALID", "Conv", [normal(1, 2, 6, 8), normal(3, 2, 3, 3)], conv, {"auto_pad": "VALID"})

    transposed = {
        "plain": ((2, 3, 4, 5), (3, 4, 3, 3), {}),
        "stride 2, output padding": ((2, 3, 4, 5), (3, 4, 3, 3), {
            "strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        "stride 3": ((1, 3, 3, 4), (3, 2, 2, 3), {"strides": [3, 2], "output_padding": [2, 0]}),
        "dilation": ((1, 2, 4, 4), (2, 3, 3, 2), {"dilations": [2, 2], "pads": [1, 1, 1, 1]}),
        "groups": ((2, 4, 4, 3), (4, 2, 3, 3), {"group": 2, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        "depth-wise": ((2, 3, 4, 4), (3, 1, 4, 4), {"group": 3, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        "signal": ((2, 3, 6), (3, 2, 4), {"strides": [2], "pads": [1, 1]}),
        "volume": ((1, 2, 3, 3, 2), (2, 2, 2, 2, 2), {"strides": [2, 1, 2]}),
    }
    for label, (x, w, attributes) in transposed.items():
        def run(x, w, bias, attributes=attributes):
            axes = w.dim() - 2
            function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[axes]
            return function(
                x, w, bias, attributes.get("strides", 1), attributes.get("pads", [0] * axes)[:axes],
                attributes.get("output_padding", 0), attributes.get("group", 1), attributes.get("dilations", 1),
            )

        outputs = w[1] * attributes.get("group", 1)
        case(label, "ConvTranspose", [normal(*x), normal(*w), normal(outputs)], run, attributes)
    case(
        "unequal pads", "ConvTranspose", [normal(1, 2, 4, 5), normal(2, 3, 3, 3)],
        lambda x, w: F.conv_transpose2d(x, w, stride=2)[:, :, 1:, : -1],
        {"strides": [2, 2], "pads": [1, 0, 0, 1]},
    )


def pooling():
    maxima = {
        "2×2": ((2, 3, 6, 4), 2, {"strides": [2, 2]}),
        "2×2 odd": ((2, 2, 7, 5), 2, {"strides": [2, 2]}),
        "3×3 stride 2, pads": ((2, 3, 7, 8), 3, {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        "3×3 stride 1, pads": ((1, 2, 5, 6), 3, {"pads": [1, 1, 1, 1]}),
        "dilation": ((1, 2, 8, 7), 2, {"dilations": [2, 3]}),
        "ceil mode": ((1, 2, 7, 6), 3, {"strides": [2, 2], "ceil_mode": 1}),
        "signal": ((2, 3, 9), 3, {"strides": [2]}),
        "volume": ((1, 2, 4, 5, 4), 2, {"strides": [2, 2, 2]}),
    }
    for label, (shape, size, attributes) in maxima.items():
        axes = len(shape) - 2

        def run(x, size=size, attributes=attributes, axes=axes):
            function = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[axes]
            return function(
                x, size, attributes.get("strides", 1), attributes.get("pads", [0] * axes)[:axes],
                attributes.get("dilations", 1), bool(attributes.get("ceil_mode", 0)),
            )

        attributes = {"kernel_shape": [size] * axes, **attributes}
        case(label, "MaxPool", [normal(*shape)], run, attributes)
        if axes == 2:
            case(f"{label}, ties", "MaxPool", [steps(*shape, levels=3)], run, attributes)
    averages = {
        "2×2": ((2, 3, 6, 4), [2, 2], {"strides": [2, 2]}),
        "odd": ((2, 3, 7, 5), [2, 2], {"strides": [2, 2]}),
        "overlapping": ((2, 3, 6, 6), [3, 3], {"strides": [2, 2]}),
        "stride 1": ((2, 3, 5, 6), [3, 2], {}),
        "pads, excluded": ((2, 3, 7, 6), [3, 3], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        "pads, included": ((2, 3, 7, 6), [3, 3], {"strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        "ceil mode": ((2, 2, 6, 7), [3, 3], {"strides": [2, 2], "ceil_mode": 1}),
        "ceil mode, pads excluded": ((1, 2, 6, 6), [3, 3], {"strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}),
        "ceil mode, pads included": ((1, 2, 6, 6), [3, 3], {
            "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1, "count_include_pad": 1}),
        "signal": ((2, 3, 9), [4], {"strides": [2]}),
        "volume": ((1, 2, 4, 4, 5), [2, 2, 2], {"strides": [2, 2, 1]}),
    }
    for label, (shape, kernel, attributes) in averages.items():
        def run(x, kernel=kernel, attributes=attributes):
            axes = len(kernel)
            function = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[axes]
            return function(
                x, kernel, attributes.get("strides", 1), attributes.get("pads", [0] * axes)[:axes],
                bool(attributes.get("ceil_mode", 0)), bool(attributes.get("count_include_pad", 0)),
            )

        case(label, "AveragePool", [normal(*shape)], run, {"kernel_shape": kernel, **attributes})
    case("image", "GlobalAveragePool", [normal(2, 3, 4, 5)], lambda x: x.mean((2, 3), keepdim=True))
    case("signal", "GlobalAveragePool", [normal(2, 3, 4)], lambda x: x.mean(2, keepdim=True))
    case("image", "GlobalMaxPool", [normal(2, 3, 4, 5)], lambda x: F.adaptive_max_pool2d(x, 1))
    case("ties", "GlobalMaxPool", [steps(2, 3, 4, 5)], lambda x: F.max_pool2d(x, (4, 5)))


def normalization():
    def batch_norm(x, scale, bias, mean, variance, epsilon=1e-5):
        view = (-1,) + (1,) * (x.dim() - 2)
        return (x - mean.view(view)) / torch.sqrt(variance.view(view) + epsilon) * scale.view(view) + bias.view(view)

    def training(x, scale, bias, *_):
        return F.batch_norm(x, None, None, scale, bias, True, 0.1, 1e-3)

    for label, shape in {"image": (3, 4, 5, 3), "signal": (2, 4, 5), "features": (6, 4)}.items():
        parameters = [positive(4), normal(4)]
        case(
            f"inference, {label}", "BatchNormalization", [normal(*shape), *parameters, normal(4), positive(4)],
            batch_norm,
        )
        case(
            f"training, {label}", "BatchNormalization", [normal(*shape), *parameters, normal(4), positive(4)], training,
            {"training_mode": 1, "epsilon": real(1e-3)}, constants=(3, 4), outputs=3,
        )
        case(
            label, "BatchNormalizationTraining", [normal(*shape), *parameters], training, {"epsilon": real(1e-3)},
            outputs=3, domain="ai.dovetail",
        )
    last = [normal(2, 3, 4), positive(4), normal(4)]
    case("last axis", "LayerNormalization", last, lambda x, s, b: F.layer_norm(x, (4,), s, b))
    two = [normal(2, 3, 4), positive(3, 4), normal(3, 4)]
    case("two axes", "LayerNormalization", two, lambda x, s, b: F.layer_norm(x, (3, 4), s, b), {"axis": 1})
    case("without bias", "LayerNormalization", last[:2], lambda x, s: F.layer_norm(x, (4,), s, None))
    image = [normal(2, 3, 4, 5), positive(3), normal(3)]
    case("image", "InstanceNormalization", image, lambda x, s, b: F.instance_norm(x, None, None, s, b))
    signal = [normal(2, 3, 6), positive(3), normal(3)]
    case("signal", "InstanceNormalization", signal, lambda x, s, b: F.instance_norm(x, None, None, s, b))
    groups = [normal(2, 6, 3, 4), positive(3), normal(3)]
    case(
        "scale per group", "GroupNormalization", groups,
        lambda x, s, b: F.group_norm(x, 3, s.repeat_interleave(2), b.repeat_interleave(2)), {"num_groups": 3},
    )
    case(
        "image", "MeanVarianceNormalization", [normal(2, 3, 4, 5)],
        lambda x: (x - x.mean((0, 2, 3), True)) / torch.sqrt(x.var((0, 2, 3), False, keepdim=True) + 1e-9),
    )
    case("second", "LpNormalization", [normal(3, 4)], lambda x: x / x.norm(2, -1, True))
    case("first", "LpNormalization", [normal(3, 4)], lambda x: x / x.abs().sum(0, True), {"p": 1, "axis": 0})


def reduction():
    functions = {
        "ReduceSum": lambda x, axes, keep: x.sum(axes, keep),
        "ReduceMean": lambda x, axes, keep: x.mean(axes, keep),
        "ReduceMax": lambda x, axes, keep: x.amax(axes, keep),
        "ReduceMin": lambda x, axes, keep: x.amin(axes, keep),
        "ReduceL1": lambda x, axes, keep: x.abs().sum(axes, keep),
        "ReduceL2": lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep),
        "ReduceSumSquare": lambda x, axes, keep: (x * x).sum(axes, keep),
        "ReduceLogSumExp": lambda x, axes, keep: torch.logsumexp(x, axes, keep),
        "ReduceLogSum": lambda x, axes, keep: torch.log(x.sum(axes, keep)),
        "ReduceProd": lambda x, axes, keep: functools_prod(x, axes, keep),
    }

    def functools_prod(x, axes, keep):
        for axis in sorted(axes, reverse=True):
            x = x.prod(axis, keepdim=True)
        return x if keep else x.squeeze(axes)

    for operator, function in functions.items():
        x = positive(2, 3, 4) if operator == "ReduceLogSum" else normal(2, 3, 4)
        for label, axes, keep in [("last", (2,), True), ("two", (0, 2), False), ("all", (0, 1, 2), False)]:
            def run(x, _=None, axes=axes, keep=keep, function=function):
                return function(x, axes, keep)

            inputs = [x] if label == "all" else [x, ints(*axes)]
            case(label, operator, inputs, run, {"keepdims": int(keep)}, constants=(1,) if len(inputs) == 2 else ())
    for operator in ("ReduceMax", "ReduceMin", "ReduceL1"):
        def run(x, _, function=functions[operator]):
            return function(x, (1,), True)

        case("ties and zeros", operator, [steps(4, 6), ints(-1)], run, constants=(1,))
    zeros = normal(4, 5)
    zeros[1, 2] = 0
    zeros[2, 1] = zeros[2, 3] = 0
    case("zeros", "ReduceProd", [zeros, ints(1)], lambda x, _: x.prod(1, keepdim=True), constants=(1,))
    zeros = normal(3, 4)
    zeros[1] = 0
    norm = lambda x, _: torch.linalg.vector_norm(x, 2, (1,), True)
    case("a zero vector", "ReduceL2", [zeros, ints(1)], norm, constants=(1,))
    nothing = np.zeros(0, np.int64)
    case(
        "no axes, no reduction", "ReduceSum", [normal(2, 3), nothing], lambda x, _: x * 1,
        {"noop_with_empty_axes": 1}, constants=(1,),
    )
    for axis in (-1, 0, 1):
        case(f"axis {axis}", "Softmax", [normal(2, 3, 4)], lambda x, axis=axis: x.softmax(axis), {"axis": axis})
        case(f"axis {axis}", "LogSoftmax", [normal(2, 3, 4)], lambda x, axis=axis: x.log_softmax(axis), {"axis": axis})
    axis = np.array(1, np.int64)
    case("plain", "CumSum", [normal(2, 4), axis], lambda x, _: x.cumsum(1), constants=(1,))
    case(
        "exclusive", "CumSum", [normal(2, 4), axis], lambda x, _: x.cumsum(1) - x, {"exclusive": 1}, constants=(1,)
    )
    case(
        "reverse", "CumSum", [normal(2, 4), axis], lambda x, _: x.flip(1).cumsum(1).flip(1), {"reverse": 1},
        constants=(1,),
    )


def shaping():
    case("merge", "Reshape", [normal(2, 3, 4), ints(2, 12)], lambda x, _: x.reshape(2, 12), constants=(1,))
    case("zero and minus one", "Reshape", [normal(2, 3, 4), ints(0, -1)], lambda x, _: x.reshape(2, 12), constants=(1,))
    case("axis 2", "Flatten", [normal(2, 3, 4, 2)], lambda x: x.reshape(6, 8), {"axis": 2})
    case("two", "Squeeze", [normal(2, 1, 3, 1), ints(1, -1)], lambda x, _: x.reshape(2, 3), constants=(1,))
    case("two", "Unsqueeze", [normal(2, 3), ints(0, -1)], lambda x, _: x.reshape(1, 2, 3, 1), constants=(1,))
    case("reversed", "Transpose", [normal(2, 3, 4)], lambda x: x.permute(2, 1, 0))
    case("rotated", "Transpose", [normal(2, 3, 4)], lambda x: x.permute(1, 2, 0), {"perm": [1, 2, 0]})
    parts = [normal(2, 3, 2), normal(2, 1, 2), normal(2, 4, 2)]
    join = lambda *parts: torch.cat(parts, 1)
    case("three", "Concat", parts, join, {"axis": 1})
    case("one needed", "Concat", parts, join, {"axis": 1}, without=(0, 2))
    case("negative axis", "Concat", [normal(2, 3), normal(2, 2)], lambda a, b: torch.cat((a, b), -1), {"axis": -1})
    case("first axis", "Concat", [normal(2, 3), normal(4, 3)], lambda a, b: torch.cat((a, b), 0), {"axis": 0})
    case("first of three", "Split", [normal(2, 7), ints(3, 2, 2)], lambda x, _: x[:, :3], {"axis": 1},
         constants=(1,), outputs=3)
    case("tiled", "Tile", [normal(2, 3), ints(2, 3)], lambda x, _: x.repeat(2, 3), constants=(1,))
    case("tiled in part", "Tile", [normal(2, 3, 2), ints(1, 2, 1)], lambda x, _: x.repeat(1, 2, 1), constants=(1,))
    case("plain", "SpaceToDepth", [normal(2, 2, 4, 6)], lambda x: x.reshape(2, 2, 2, 2, 3, 2).permute(
        0, 3, 5, 1, 2, 4).reshape(2, 8, 2, 3), {"blocksize": 2})
    case("DCR", "DepthToSpace", [normal(2, 8, 2, 3)], lambda x: x.reshape(2, 2, 2, 2, 2, 3).permute(
        0, 3, 4, 1, 5, 2).reshape(2, 2, 4, 6), {"blocksize": 2})
    case("CRD", "DepthToSpace", [normal(2, 8, 2, 3)], lambda x: F.pixel_shuffle(x, 2), {"blocksize": 2, "mode": "CRD"})


def indexing():
    def cut(label, shape, starts, ends, axes, strides, function):
        vectors = [ints(*starts), ints(*ends), ints(*axes), ints(*strides)]
        case(label, "Slice", [normal(*shape), *vectors], lambda x, *_: function(x), constants=(1, 2, 3, 4))

    cut("middle", (2, 5, 6), (1, 2), (4, 5), (1, 2), (1, 1), lambda x: x[:, 1:4, 2:5])
    cut("negative bounds", (2, 5, 6), (-3,), (-1,), (1,), (1,), lambda x: x[:, -3:-1])
    cut("beyond the end", (2, 5, 6), (2,), (2**40,), (-1,), (1,), lambda x: x[:, :, 2:])
    cut("step 2", (2, 5, 6), (1,), (6,), (2,), (2,), lambda x: x[:, :, 1:6:2])
    cut("step 3, to the end", (2, 7, 3), (0,), (7,), (1,), (3,), lambda x: x[:, ::3])
    cut("two steps", (2, 7, 6), (0, 1), (7, 6), (1, 2), (2, 3), lambda x: x[:, ::2, 1::3])
    cut("backwards", (2, 5), (-1,), (-(2**40),), (1,), (-1,), lambda x: x.flip(1))
    cut("backwards by 2", (2, 6), (4,), (0,), (1,), (-2,), lambda x: x[:, 2:5:2].flip(1))
    cut("batch", (5, 3), (1,), (3,), (0,), (1,), lambda x: x[1:3])
    case("axes left out", "Slice", [normal(4, 5), ints(1, 2), ints(3, 4)], lambda x, *_: x[1:3, 2:4], constants=(1, 2))
    case("bounds at run time", "Slice", [normal(4, 5), ints(1), ints(5), ints(1), ints(2)],
         lambda x, *_: x[:, 1:5:2], constants=(3,))
    pads = ints(0, 1, 2, 0)
    case("constant", "Pad", [normal(3, 4), pads], lambda x, _: F.pad(x, (1, 0, 0, 2)), constants=(1,))
    value = np.array(0.5, np.float32)
    case("constant that is learnt", "Pad", [normal(3, 4), pads, value],
         lambda x, _, value: F.pad(x, (1, 0, 0, 2)) + value * F.pad(-torch.ones_like(x), (1, 0, 0, 2), value=0).add(1),
         constants=(1,))
    case("negative", "Pad", [normal(3, 5), ints(0, -1, 1, 2)], lambda x, _: F.pad(x[:, 1:], (0, 2, 0, 1)), constants=(1,))
    case("some axes", "Pad", [normal(2, 3, 4), ints(1, 2), None, ints(-1)], lambda x, *_: F.pad(x, (1, 2)), constants=(1, 3))
    case("pads at run time", "Pad", [normal(3, 4), pads], lambda x, _: F.pad(x, (1, 0, 0, 2)))
    image = ints(0, 0, 2, 1, 0, 0, 1, 3)
    for mode, name in {"reflect": "reflect", "edge": "replicate"}.items():
        case(mode, "Pad", [normal(1, 2, 4, 5), image], lambda x, _, name=name: F.pad(x, (1, 3, 2, 1), name),
             {"mode": mode}, constants=(1,))
        case(f"{mode}, pads at run time", "Pad", [normal(1, 2, 4, 5), image],
             lambda x, _, name=name: F.pad(x, (1, 3, 2, 1), name), {"mode": mode})
    table = normal(5, 3)
    case("repeated", "Gather", [table, np.array([[0, 2], [2, -1]], np.int64)], lambda x, i: x[i])
    case("inner axis", "Gather", [normal(2, 5, 3), ints(4, 0, 4)], lambda x, i: x[:, i], {"axis": 1})
    case("matrix of indices inside", "Gather", [normal(2, 4, 3), np.array([[1, 1], [0, 3]], np.int64)],
         lambda x, i: x[:, i], {"axis": 1})
    case("one index", "Gather", [normal(2, 5, 3), np.array(-2, np.int64)], lambda x, i: x[:, -2], {"axis": 1}, constants=(1,))
    case("one index kept", "Gather", [normal(2, 5, 3), ints(1)], lambda x, i: x[:, 1:2], {"axis": 1}, constants=(1,))
    elements = random.integers(0, 4, (2, 3)).astype(np.int64)
    case("axis 1", "GatherElements", [normal(2, 4), elements], lambda x, i: x.gather(1, i), {"axis": 1})
    case("pairs", "GatherND", [normal(3, 4, 2), np.array([[0, 1], [2, 3], [0, 1]], np.int64)],
         lambda x, i: x[i[:, 0], i[:, 1]])
    case("in batches", "GatherND", [normal(2, 4, 3), np.array([[1], [3]], np.int64)],
         lambda x, i: x[torch.arange(2), i[:, 0]], {"batch_dims": 1})
    places = np.array([[0, 2, 1], [3, 1, 0]], np.int64)
    case("replace", "ScatterElements", [normal(2, 4), places, normal(2, 3)], lambda x, i, u: x.scatter(1, i, u), {"axis": 1})
    case("add", "ScatterElements", [normal(2, 4), places * 0 + 1, normal(2, 3)],
         lambda x, i, u: x.scatter_add(1, i, u), {"axis": 1, "reduction": "add"})
    rows = np.array([[2], [0]], np.int64)

    def replace(x, i, u):
        return x.index_put((i[:, 0],), u)

    case("replace", "ScatterND", [normal(4, 3), rows, normal(2, 3)], replace)
    case("add", "ScatterND", [normal(4, 3), rows * 0 + 1, normal(2, 3)],
         lambda x, i, u: x.index_put((i[:, 0],), u, accumulate=True), {"reduction": "add"})
    case("upper", "Trilu", [normal(2, 4, 4), np.array(1, np.int64)], lambda x, _: x.triu(1), constants=(1,))
    case("lower", "Trilu", [normal(4, 5)], torch.tril, {"upper": 0})
    case("largest", "TopK", [normal(3, 6), ints(2)], lambda x, _: x.topk(2, 1).values, constants=(1,), outputs=2)
    case("two sequences", "ReverseSequence", [normal(2, 4, 3), ints(3, 2)],
         lambda x, _: torch.stack([torch.cat((x[0, :3].flip(0), x[0, 3:])), torch.cat((x[1, :2].flip(0), x[1, 2:]))]),
         {"batch_axis": 0, "time_axis": 1})


def resizing():
    def scales(*values):
        return np.array(values, np.float32)

    def resize(label, shape, target, function, attributes, by_sizes=False):
        factors = scales(*(out / size for out, size in zip(target, shape)))
        spatial = list(range(2, len(shape)))
        attributes = {**attributes, "axes": spatial} if by_sizes else attributes
        inputs = [normal(*shape), None, None, ints(*target[2:])] if by_sizes else [normal(*shape), None, factors]
        case(label, "Resize", inputs, lambda x, *_: function(x), attributes, constants=(2, 3) if by_sizes else (2,))

    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    double = lambda x: F.interpolate(x, scale_factor=2, mode="nearest")
    resize("nearest, twice", (2, 3, 3, 4), (2, 3, 6, 8), double, nearest)
    resize("nearest, half pixel, twice", (1, 2, 3, 4), (1, 2, 6, 8), double, {"mode": "nearest"})
    resize("nearest, uneven", (1, 2, 4, 5), (1, 2, 7, 11), lambda x: F.interpolate(x, (7, 11), mode="nearest"), nearest, True)
    resize("nearest, smaller", (1, 2, 6, 8), (1, 2, 3, 4), lambda x: F.interpolate(x, (3, 4), mode="nearest"), nearest)
    linear = lambda size, align: lambda x: F.interpolate(x, size, mode="bilinear", align_corners=align)
    resize("linear, half pixel", (1, 2, 3, 4), (1, 2, 6, 8), linear((6, 8), False), {"mode": "linear"})
    resize("linear, uneven", (1, 2, 4, 5), (1, 2, 7, 3), linear((7, 3), False), {"mode": "linear"}, True)
    resize("linear, PyTorch's half pixel", (1, 2, 4, 5), (1, 2, 8, 1), lambda x: linear((8, 1), False)(x[..., :1]),
           {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}, True)
    resize("linear, aligned corners", (1, 2, 3, 4), (1, 2, 5, 7), linear((5, 7), True),
           {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, True)
    resize("linear, signal", (2, 3, 5), (2, 3, 10), lambda x: F.interpolate(x, 10, mode="linear"), {"mode": "linear"})
    resize("linear, volume", (1, 2, 2, 3, 2), (1, 2, 4, 6, 4), lambda x: F.interpolate(x, (4, 6, 4), mode="trilinear"),
           {"mode": "linear"})
    resize("cubic", (1, 2, 5, 4), (1, 2, 10, 8), lambda x: F.interpolate(x, (10, 8), mode="bicubic"),
           {"mode": "cubic", "coordinate_transformation_mode": "half_pixel"})


def others():
    case("image", "LRN", [normal(2, 5, 3, 2)], lambda x: F.local_response_norm(x, 3, 0.2, 0.5, 1.5),
         {"size": 3, "alpha": real(0.2), "beta": real(0.5), "bias": real(1.5)})
    case("soft", "Shrink", [normal(4, 5)], lambda x: F.softshrink(x, 0.4), {"lambd": real(0.4), "bias": real(0.4)})
    case("one-hot", "Hardmax", [normal(3, 4)], lambda x: x * 0 + F.one_hot(x.argmax(-1), 4))
    equations = {
        "ij,jk->ik": ((2, 3), (3, 4)),
        "bij, bjk": ((2, 3, 4), (2, 4, 2)),
        "bhqd,bhkd->bhqk": ((2, 2, 3, 4), (2, 2, 2, 4)),
        "...ij,jk->...ik": ((2, 3, 2), (2, 4)),
        "ij->j": ((2, 3),),
        "ij,k->k": ((2, 3), (4,)),
        "i,j,ij->": ((2,), (3,), (2, 3)),
    }
    for equation, shapes in equations.items():
        def run(*operands, equation=equation):
            return torch.einsum(equation, *operands)

        case(equation, "Einsum", [normal(*shape) for shape in shapes], run, {"equation": equation})
    labels = random.integers(0, 4, (3, 2)).astype(np.int64)
    labels[1, 1] = 2
    for reduction in ("mean", "sum", "none"):
        def loss(x, t, w=None, reduction=reduction):
            return F.cross_entropy(x, t, w, reduction=reduction)

        attributes = {"reduction": reduction}
        case(reduction, "SoftmaxCrossEntropyLoss", [normal(3, 4, 2), labels], loss, attributes)
        weights = [normal(3, 4, 2), labels, positive(4)]
        case(f"{reduction}, weights", "SoftmaxCrossEntropyLoss", weights, loss, attributes, without=(2,))
        case(f"{reduction}, ignored", "SoftmaxCrossEntropyLoss", [normal(3, 4, 2), labels],
             lambda x, t, reduction=reduction: F.cross_entropy(x, t, ignore_index=2, reduction=reduction),
             {"reduction": reduction, "ignore_index": 2})
        case(reduction, "NegativeLogLikelihoodLoss", [normal(3, 4), labels[:, 0]],
             lambda x, t, reduction=reduction: F.nll_loss(x, t, reduction=reduction), attributes)

    def from_onnx(weight):
        """Gates i, o, f, c to PyTorch's i, f, g, o."""
        i, o, f, c = weight.chunk(4)
        return torch.cat((i, f, c, o))

    def recurrent(x, w, r, b=None, _=None, h=None, c=None):
        directions, size = r.shape[0], r.shape[2]
        parameters = []
        for d in range(directions):
            parameters += [from_onnx(w[d]), from_onnx(r[d])]
            if b is not None:
                parameters += [from_onnx(part) for part in b[d].chunk(2)]
        zero = torch.zeros(directions, x.shape[1], size, dtype=x.dtype)
        state = (zero if h is None else h, zero if c is None else c)
        y, _, _ = torch.lstm(x, state, parameters, b is not None, 1, 0.0, False, directions == 2, False)
        return y.reshape(x.shape[0], x.shape[1], directions, size).transpose(1, 2)

    def lstm_inputs(directions, features=3, hidden=2, batch=2, length=4):
        return [
            normal(length, batch, features), normal(directions, 4 * hidden, features),
            normal(directions, 4 * hidden, hidden), normal(directions, 8 * hidden), None,
            normal(directions, batch, hidden), normal(directions, batch, hidden),
        ]

    case("forward", "LSTM", lstm_inputs(1), recurrent, {"hidden_size": 2})
    case("both directions", "LSTM", lstm_inputs(2), recurrent, {"hidden_size": 2, "direction": "bidirectional"})
    case("reverse", "LSTM", lstm_inputs(1), lambda x, *rest: recurrent(x.flip(0), *rest).flip(0),
         {"hidden_size": 2, "direction": "reverse"})
    case("without bias and state", "LSTM", lstm_inputs(1)[:3], recurrent, {"hidden_size": 2})


def networks():
    """Whole networks in training: loss, and gradients to all parameters. networks.golden.test.ts builds the same ones."""

    def scaled(*shape):
        fan_in = int(np.prod(shape[1:])) or 1
        return (random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    def conv_bn(parameters, name, outputs, inputs, kernel):
        parameters[f"{name}.weight"] = scaled(outputs, inputs, kernel, kernel)
        parameters[f"{name}.scale"] = positive(outputs)
        parameters[f"{name}.bias"] = normal(outputs)

    def unit(p, name, x, stride=1, padding=1, groups=1):
        y = F.conv2d(x, p[f"{name}.weight"], None, stride, padding, 1, groups)
        return F.batch_norm(y, None, None, p[f"{name}.scale"], p[f"{name}.bias"], True, 0.1, 1e-5)

    def resnet(p, x):
        x = F.max_pool2d(unit(p, "stem", x).relu(), 3, 2, 1)
        x = (unit(p, "first.2", unit(p, "first.1", x).relu()) + x).relu()
        y = unit(p, "second.2", unit(p, "second.1", x, 2).relu())
        x = (y + unit(p, "second.shortcut", x, 2, 0)).relu()
        return F.linear(x.mean((2, 3)), p["classifier.weight"], p["classifier.bias"])

    def mobilenet(p, x):
        def inverted(x, name, stride):
            y = F.relu6(unit(p, f"{name}.expand", x, 1, 0))
            y = F.relu6(unit(p, f"{name}.depthwise", y, stride, 1, y.shape[1]))
            y = unit(p, f"{name}.project", y, 1, 0)
            return x + y if y.shape == x.shape else y

        x = F.relu6(unit(p, "stem", x, 2))
        x = inverted(inverted(x, "first", 2), "second", 1)
        x = F.relu6(unit(p, "head", x, 1, 0))
        return F.linear(x.mean((2, 3)), p["classifier.weight"], p["classifier.bias"])

    def lstm_classifier(p, tokens):
        # Gates i, o, f, c to PyTorch's i, f, g, o.
        chunks = [p[name].squeeze(0).chunk(4) for name in ("w", "r", "wb", "rb")]
        parameters = [torch.cat((i, f, c, o)) for i, o, f, c in chunks]
        x = p["embedding"][tokens]
        zero = torch.zeros(1, x.shape[1], p["r"].shape[2], dtype=x.dtype)
        _, hidden, _ = torch.lstm(x, (zero, zero), parameters, True, 1, 0.0, False, False, False)
        return F.linear(hidden[0], p["classifier.weight"], p["classifier.bias"])

    found = {}

    def network(name, parameters, function, inputs, classes):
        tensors = {key: torch.tensor(v.astype(np.float64), requires_grad=True) for key, v in parameters.items()}
        x = torch.tensor(inputs.astype(np.float64) if inputs.dtype == np.float32 else inputs)
        logits = function(tensors, x)
        labels = random.integers(0, classes, logits.shape[0])
        loss = F.cross_entropy(logits, torch.tensor(labels))
        loss.backward()
        found[name] = {
            "inputs": stored(inputs),
            "labels": stored(labels.astype(np.int64)),
            "parameters": {key: stored(value) for key, value in parameters.items()},
            "loss": loss.item(),
            "gradients": {key: stored(value.grad.numpy()) for key, value in tensors.items()},
        }

    p = {}
    conv_bn(p, "stem", 8, 3, 3)
    conv_bn(p, "first.1", 8, 8, 3)
    conv_bn(p, "first.2", 8, 8, 3)
    conv_bn(p, "second.1", 16, 8, 3)
    conv_bn(p, "second.2", 16, 16, 3)
    conv_bn(p, "second.shortcut", 16, 8, 1)
    p |= {"classifier.weight": scaled(5, 16), "classifier.bias": normal(5)}
    network("resnet", p, resnet, normal(4, 3, 9, 9), 5)
    p = {}
    conv_bn(p, "stem", 8, 3, 3)
    for name in ("first", "second"):
        conv_bn(p, f"{name}.expand", 16, 8, 1)
        conv_bn(p, f"{name}.depthwise", 16, 1, 3)
        conv_bn(p, f"{name}.project", 8, 16, 1)
    conv_bn(p, "head", 16, 8, 1)
    p |= {"classifier.weight": scaled(5, 16), "classifier.bias": normal(5)}
    network("mobilenet", p, mobilenet, normal(4, 3, 11, 11), 5)
    p = {"embedding": normal(10, 5), "w": normal(1, 24, 5), "r": normal(1, 24, 6), "wb": normal(1, 24), "rb": normal(1, 24)}
    p |= {"classifier.weight": scaled(4, 6), "classifier.bias": normal(4)}
    network("lstm", p, lstm_classifier, random.integers(0, 10, (7, 3)).astype(np.int64), 4)
    return found


def write(name, content):
    path = TARGET / name
    path.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(name, path.stat().st_size, "bytes")


for family in (elementwise, arithmetic, linear, convolution, pooling, normalization, reduction, shaping, indexing, resizing, others):
    family()
TARGET.mkdir(parents=True, exist_ok=True)
write("operators.golden.json", cases)
write("networks.golden.json", networks())
print(len(cases), "operator cases")
