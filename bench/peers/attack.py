"""Robust accuracy of an ONNX network under one attack of AutoAttack or torchattacks.

Usage: python bench/peers/attack.py FOLDER JOB

FOLDER: network.onnx (raw pixels in), images.bin, labels.bin, shape.json. JOB: JSON with `of`, `name`, `epsilon`,
`threads`, `autoAttack` (path of its checkout) and the attack's settings. Prints JSON.
"""

import json
import pathlib
import sys
import time
import warnings

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

folder, job = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
torch.set_num_threads(job["threads"])
torch.manual_seed(0)
sys.path.insert(0, job["autoAttack"])
warnings.filterwarnings("ignore")


class OnnxNetwork(nn.Module):
    """The graph node by node, on images in [0, 1]."""

    def __init__(self, path, logits):
        super().__init__()
        graph = onnx.load(path).graph
        self.nodes, self.logits, self.image = list(graph.node), logits, graph.input[0].name
        constants = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
        self.constants = constants
        # The layers of torch hold a parameter; AutoAttack asks for its device.
        self.anchor = nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, x):
        values = {**self.constants, self.image: x * 255}
        for node in self.nodes:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            values[node.output[0]] = OPERATORS[node.op_type](attributes, *[values[name] for name in node.input if name])
            if node.output[0] == self.logits:
                break
        return values[self.logits]


def conv(attributes, x, weight, bias=None):
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    padded = functional.pad(x, (left, right, top, bottom))
    return functional.conv2d(padded, weight, bias, attributes.get("strides", [1, 1]))


OPERATORS = {
    "Conv": conv,
    "BatchNormalization": lambda a, x, scale, shift, mean, variance: functional.batch_norm(
        x, mean, variance, scale, shift, eps=a.get("epsilon", 1e-5)
    ),
    "Relu": lambda a, x: torch.relu(x),
    "Add": lambda a, x, y: x + y,
    "Identity": lambda a, x: x,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Flatten": lambda a, x: x.flatten(1),
    "Gemm": lambda a, x, w, b: x @ (w.T if a.get("transB") else w) + b,
}


def from_autoattack(network):
    from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted
    from autoattack.fab_pt import FABAttack_PT
    from autoattack.square import SquareAttack

    common = {"eps": job["epsilon"], "norm": "Linf", "seed": 0, "device": "cpu"}
    name = job["name"]
    if name in ("apgd-ce", "apgd-dlr"):
        attack = APGDAttack(network, n_iter=job["steps"], n_restarts=1, loss=name[5:], **common)
    elif name == "apgd-t":
        attack = APGDAttack_targeted(network, n_iter=job["steps"], n_restarts=1, n_target_classes=job["targets"], **common)
    elif name == "fab-t":
        attack = FABAttack_PT(network, n_iter=job["steps"], n_restarts=1, targeted=True, n_target_classes=job["targets"], **common)
    else:
        attack = SquareAttack(network, n_queries=job["queries"], p_init=0.8, resc_schedule=False, **common)
    return attack.perturb


def from_torchattacks(network):
    import torchattacks

    settings = {key: job[key] for key in ("steps", "alpha", "decay") if key in job}
    return getattr(torchattacks, job["name"])(network, eps=job["epsilon"], **settings)


shape = json.loads((folder / "shape.json").read_text())
images = np.fromfile(folder / "images.bin", dtype=np.uint8).reshape(-1, *shape["shape"])
x = torch.tensor(images).float() / 255
y = torch.tensor(np.fromfile(folder / "labels.bin", dtype=np.uint8)).long()
network = OnnxNetwork(folder / "network.onnx", shape["logits"]).eval()
attack = (from_autoattack if job["of"] == "autoattack" else from_torchattacks)(network)

start, right, clean = time.time(), 0, 0
for first in range(0, len(x), 125):
    rows = slice(first, first + 125)
    attacked = attack(x[rows].clone(), y[rows].clone())
    assert (attacked - x[rows]).abs().max() <= job["epsilon"] + 1e-6
    with torch.no_grad():
        right += (network(attacked).argmax(1) == y[rows]).sum().item()
        clean += (network(x[rows]).argmax(1) == y[rows]).sum().item()
print(json.dumps({
    "accuracyFraction": right / len(x),
    "cleanAccuracyFraction": clean / len(x),
    "seconds": time.time() - start,
    "torch": torch.__version__,
}))
