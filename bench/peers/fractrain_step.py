"""PyTorch's side of the row fractrain-step of bench/quant.mjs: DFQ on ResNet-20 as its authors formulate it, written anew.

Usage: python bench/peers/fractrain_step.py <batch size> <threads> <form>
form: one-convolution (the sum of the quantized inputs is convolved once, the ImageNet code) or block-for-each-choice
(every block runs once for each choice, the CIFAR-10 code). Reads a command a line, answers with one line of JSON.
"""
import os
import sys

batch_text, threads, form = sys.argv[1:4]
os.environ["OMP_NUM_THREADS"] = threads

import torch
from torch import nn
from torch.nn import functional

from serve import serve

torch.set_num_threads(int(threads))
torch.manual_seed(1)
batch = int(batch_text)

WEIGHT_BITS = 4
OUTER_BITS = 8
CHOICES = [(3, 6), (4, 6), (4, 8), (6, 8), (6, 12)]


def affine(x, bits, low, high, noise=False):
    levels = 2**bits - 1
    scale = ((high - low) / levels).clamp(min=1e-8)
    code = (x - low) / scale
    if noise:
        code = code + torch.empty_like(code).uniform_(-0.5, 0.5)
    return code.clamp_(0, levels).round_().mul_(scale).add_(low)


class Quantize(torch.autograd.Function):
    @staticmethod
    def forward(context, x, bits, low, high):
        return affine(x, bits, low, high)

    @staticmethod
    def backward(context, gradient):
        return gradient, None, None, None


class QuantizeGradient(torch.autograd.Function):
    """The identity, whose gradient is rounded stochastically: the sum over the choices of each one's masked gradient."""

    @staticmethod
    def forward(context, x, mask, bits):
        context.mask, context.bits = mask, bits
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        if context.mask is None:
            low, high = gradient.min(), gradient.max()
            return affine(gradient, context.bits[0], low, high, noise=True), None, None
        total = torch.zeros_like(gradient)
        for column, bits in zip(context.mask.unbind(1), context.bits):
            masked = gradient * column.view(-1, 1, 1, 1)
            total += affine(masked, bits, masked.min(), masked.max(), noise=True)
        return total, None, None


class QuantizedConvolution(nn.Conv2d):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False)
        self.register_buffer("range", torch.zeros(2))

    def quantized_weight(self, bits):
        rows = self.weight.detach().flatten(1)
        low, high = (end.view(-1, 1, 1, 1) for end in (rows.min(1).values, rows.max(1).values))
        return Quantize.apply(self.weight, bits, low, high)

    def quantized_input(self, x, bits):
        with torch.no_grad():
            ends = torch.stack([x.min(), x.max()])
            self.range.mul_(0.1).add_(ends, alpha=0.9)
        return Quantize.apply(x, bits, ends[0], ends[1])

    def forward(self, x, weight_bits, activation_bits, gradient_bits):
        data = self.quantized_input(x, activation_bits)
        output = functional.conv2d(data, self.quantized_weight(weight_bits), None, self.stride, self.padding)
        return QuantizeGradient.apply(output, None, [gradient_bits])

    def mixed(self, x, mask):
        data = sum(
            self.quantized_input(x, activation_bits) * column.view(-1, 1, 1, 1)
            for (activation_bits, _), column in zip(CHOICES, mask.unbind(1))
        )
        output = functional.conv2d(data, self.quantized_weight(WEIGHT_BITS), None, self.stride, self.padding)
        return QuantizeGradient.apply(output, mask.detach(), [bits for _, bits in CHOICES])


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = QuantizedConvolution(inputs, outputs, 3, stride)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = QuantizedConvolution(outputs, outputs, 3)
        self.second_norm = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = None if same else QuantizedConvolution(inputs, outputs, 1, stride)
        self.shortcut_norm = None if same else nn.BatchNorm2d(outputs)

    def side(self, x):
        return x if self.shortcut is None else self.shortcut_norm(self.shortcut(x, OUTER_BITS, OUTER_BITS, OUTER_BITS))

    def one_convolution(self, x, mask):
        y = functional.relu(self.first_norm(self.first.mixed(x, mask)))
        return functional.relu(self.second_norm(self.second.mixed(y, mask)) + self.side(x))

    def each_choice(self, x, mask):
        total = 0
        for (activation_bits, gradient_bits), column in zip(CHOICES, mask.unbind(1)):
            y = self.first(x, WEIGHT_BITS, activation_bits, gradient_bits)
            y = self.second(functional.relu(self.first_norm(y)), WEIGHT_BITS, activation_bits, gradient_bits)
            total = total + functional.relu(self.second_norm(y) + self.side(x)) * column.view(-1, 1, 1, 1)
        return total

    def forward(self, x, mask):
        return self.one_convolution(x, mask) if form == "one-convolution" else self.each_choice(x, mask)


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, 32, 1)
        self.second = nn.Conv2d(32, 16, 1)

    def forward(self, x):
        pooled = functional.adaptive_avg_pool2d(x, 1)
        return self.second(functional.relu(self.first(pooled))).flatten(1)


class GatedResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = QuantizedConvolution(3, 16, 3)
        self.stem_norm = nn.BatchNorm2d(16)
        self.blocks, self.gates = nn.ModuleList(), nn.ModuleList()
        inputs = 16
        for channels, first_stride in ((16, 1), (32, 2), (64, 2)):
            for stride in (first_stride, 1, 1):
                self.gates.append(Gate(inputs))
                self.blocks.append(Block(inputs, channels, stride))
                inputs = channels
        self.cell = nn.LSTMCell(16, 16)
        self.choice = nn.Linear(16, len(CHOICES))
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.stem_norm(self.stem(x, OUTER_BITS, OUTER_BITS, OUTER_BITS)))
        state, cost = None, 0
        prices = torch.tensor([(a * WEIGHT_BITS + g * WEIGHT_BITS + a * g) / 1024 for a, g in CHOICES])
        for block, gate in zip(self.blocks, self.gates):
            state = self.cell(gate(x), state)
            soft = functional.softmax(self.choice(state[0]), 1)
            hard = functional.one_hot(soft.argmax(1), len(CHOICES)).float()
            mask = hard - soft.detach() + soft
            cost = cost + (mask * prices).sum()
            x = block(x, mask)
        return self.classifier(x.mean((2, 3))), cost


model = GatedResNet20()
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4, fused=True)
pixels = torch.randint(0, 256, (batch, 3, 32, 32)).float()
images = (pixels - 120.7) / 63.9
labels = torch.randint(0, 10, (batch,))


def step():
    optimizer.zero_grad(set_to_none=True)
    logits, cost = model(images)
    loss = functional.cross_entropy(logits, labels) + 1e-3 * cost
    loss.backward()
    optimizer.step()
    return loss.item()


serve(step, threads=torch.get_num_threads())
