"""PyTorch's side of the rows cdt-step and pgd7-step of bench/quant.mjs: InstantNet's and Double-Win Quant's training steps
as their authors formulate them, written anew.

Usage: python bench/peers/switchable_step.py <kind> <batch size> <threads> <layout>
kind: cdt (4, 8, 12, 16, 32 bit: a pass a precision, the highest first, gradients added up), pgd7 (8 bit of 4 to 16:
seven steps on the images and one on the weights, all in training mode, as published) or pgd7-inference (the seven steps
with running statistics and ranges, as ours). Reads a command a line, answers with JSON.
"""
import os
import sys

kind, batch_text, threads, layout = sys.argv[1:5]
os.environ["OMP_NUM_THREADS"] = threads

import torch
from torch import nn
from torch.nn import functional

from serve import serve

torch.set_num_threads(int(threads))
torch.manual_seed(1)
batch = int(batch_text)
precisions = [4, 8, 12, 16, 32] if kind == "cdt" else list(range(4, 17))


class Quantize(torch.autograd.Function):
    @staticmethod
    def forward(context, x, bits, low, high):
        levels = 2**bits - 1
        scale = ((high - low) / levels).clamp(min=1e-8)
        return ((x - low) / scale).clamp_(0, levels).round_().mul_(scale).add_(low)

    @staticmethod
    def backward(context, gradient):
        return gradient, None, None, None


class QuantizedConvolution(nn.Conv2d):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False)
        self.register_buffer("range", torch.zeros(2))

    def forward(self, x, bits):
        if bits == 32:
            return functional.conv2d(x, self.weight, None, self.stride, self.padding)
        with torch.no_grad():
            if self.training:
                ends = torch.stack([x.min(), x.max()])
                self.range.mul_(0.1).add_(ends, alpha=0.9)
            else:
                ends = self.range
            rows = self.weight.flatten(1)
            low, high = (end.view(-1, 1, 1, 1) for end in (rows.min(1).values, rows.max(1).values))
        data = Quantize.apply(x, bits, ends[0], ends[1])
        weight = Quantize.apply(self.weight, bits, low, high)
        return functional.conv2d(data, weight, None, self.stride, self.padding)


class Norms(nn.ModuleList):
    def __init__(self, channels):
        super().__init__([nn.BatchNorm2d(channels) for _ in precisions])

    def at(self, x, bits):
        return self[precisions.index(bits)](x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.first_norms = QuantizedConvolution(inputs, outputs, 3, stride), Norms(outputs)
        self.second, self.second_norms = QuantizedConvolution(outputs, outputs, 3), Norms(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = None if same else QuantizedConvolution(inputs, outputs, 1, stride)
        self.shortcut_norms = None if same else Norms(outputs)

    def forward(self, x, bits):
        y = functional.relu(self.first_norms.at(self.first(x, bits), bits))
        y = self.second_norms.at(self.second(y, bits), bits)
        if self.shortcut is not None:
            x = self.shortcut_norms.at(self.shortcut(x, bits if kind == "cdt" else 32), bits)
        return functional.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.stem_norms = nn.Conv2d(3, 16, 3, 1, 1, bias=False), Norms(16)
        self.blocks = nn.ModuleList()
        inputs = 16
        for channels, first_stride in ((16, 1), (32, 2), (64, 2)):
            for stride in (first_stride, 1, 1):
                self.blocks.append(Block(inputs, channels, stride))
                inputs = channels
        self.classifier = nn.Linear(64, 10)

    def forward(self, pixels, bits):
        x = (pixels - 120.7) / 63.9
        x = functional.relu(self.stem_norms.at(self.stem(x), bits))
        for block in self.blocks:
            x = block(x, bits)
        return self.classifier(x.mean((2, 3)))


model = ResNet20()
images = torch.randint(0, 256, (batch, 3, 32, 32)).float()
labels = torch.randint(0, 10, (batch,))
if layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4, fused=True)


def cdt_step():
    optimizer.zero_grad(set_to_none=True)
    teachers, total = [], 0.0
    for bits in sorted(precisions, reverse=True):
        logits = model(images, bits)
        loss = functional.cross_entropy(logits, labels)
        for teacher in teachers:
            loss = loss + functional.mse_loss(logits, teacher)
        loss = loss / len(precisions)
        loss.backward()
        teachers.append(logits.detach())
        total += loss.item()
    optimizer.step()
    return total


def pgd7_step():
    epsilon, step_size, bits = 8.0, 2.0, 8
    delta = torch.empty_like(images).uniform_(-epsilon, epsilon)
    delta = (images + delta).clamp_(0, 255) - images
    model.train(kind == "pgd7")
    for _ in range(7):
        delta.requires_grad_(True)
        loss = functional.cross_entropy(model(images + delta, bits), labels)
        (gradient,) = torch.autograd.grad(loss, delta)
        with torch.no_grad():
            delta = (delta + step_size * gradient.sign()).clamp_(-epsilon, epsilon)
            delta = (images + delta).clamp_(0, 255) - images
    model.train()
    optimizer.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(model(images + delta, bits), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


step = {"cdt": cdt_step, "pgd7": pgd7_step, "pgd7-inference": pgd7_step}[kind]


serve(step, threads=torch.get_num_threads())
