"""Networks of the zoo in PyTorch, parameters declared in the zoo's order, and the reader of the first weights."""
import json

import torch
from torch import nn
from torch.nn import functional


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, activation=None):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([activation] if activation else []))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride, activation=nn.ReLU(inplace=True))
        self.second = ConvNorm(outputs, outputs, 3)
        same = stride == 1 and inputs == outputs
        self.shortcut = None if same else ConvNorm(inputs, outputs, 1, stride)

    def forward(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(self.second(self.first(x)) + shortcut)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(3, 16, 3, activation=nn.ReLU(inplace=True))
        blocks, inputs = [], 16
        for channels, first_stride in ((16, 1), (32, 2), (64, 2)):
            for stride in (first_stride, 1, 1):
                blocks.append(BasicBlock(inputs, channels, stride))
                inputs = channels
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        return self.classifier(self.blocks(self.stem(x)).mean((2, 3)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        layers = [ConvNorm(inputs, hidden, 1, activation=nn.ReLU6(inplace=True))] if expansion != 1 else []
        layers.append(ConvNorm(hidden, hidden, 3, stride, groups=hidden, activation=nn.ReLU6(inplace=True)))
        layers.append(ConvNorm(hidden, outputs, 1))
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        layers, inputs = [ConvNorm(3, 32, 3, activation=nn.ReLU6(inplace=True))], 32
        stages = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
        for expansion, channels, count, first_stride in stages:
            for block in range(count):
                layers.append(InvertedResidual(inputs, channels, first_stride if block == 0 else 1, expansion))
                inputs = channels
        layers.append(ConvNorm(inputs, 1280, 1, activation=nn.ReLU6(inplace=True)))
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(1280, 10)

    def forward(self, x):
        return self.classifier(self.layers(x).mean((2, 3)))


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    parameters = json.loads(header.pop("__metadata__")["parameters"])
    dtypes = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end], dtype=dtypes[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors, parameters


def load_parameters(model, tensors, order):
    """Both sides declare their parameters in the same order."""
    with torch.no_grad():
        for parameter, name in zip(model.parameters(), order, strict=True):
            parameter.copy_(tensors[name].reshape(parameter.shape))
