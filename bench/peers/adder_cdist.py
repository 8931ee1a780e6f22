"""PyTorch's side of bench/adder.mjs: the add layer as AdderNet's authors formulate it, written anew.

Usage: python bench/peers/adder_cdist.py <threads>
Unfolding and cdist with p = 1 forward; both gradients from the differences of all filters with all positions, in memory at
once. Reads a command a line, answers with one line of JSON: seconds of the three products, over ResNet-20's 18 layers.
"""
import os
import resource
import sys
import time

threads = sys.argv[1]
os.environ["OMP_NUM_THREADS"] = threads

import torch
from torch.nn import functional

from serve import answer

torch.set_num_threads(int(threads))
torch.manual_seed(1)
BATCH = 128
# Channels, image size, outputs, stride, and how often the shape comes.
LAYERS = [(16, 32, 16, 1, 6), (16, 32, 32, 2, 1), (32, 16, 32, 1, 5), (32, 16, 64, 2, 1), (64, 8, 64, 1, 5)]


def forward(x, weight, stride):
    """Y [N, O, H', W'], and the columns [C·9, H'·W'·N] that the backward pass takes."""
    size = x.shape[2] // stride
    columns = functional.unfold(x, 3, padding=1, stride=stride)
    columns = columns.permute(1, 2, 0).contiguous().view(columns.shape[1], -1)
    filters = weight.view(weight.shape[0], -1)
    y = -torch.cdist(filters, columns.t().contiguous(), p=1)
    return y.view(weight.shape[0], size, size, x.shape[0]).permute(3, 0, 1, 2).contiguous(), columns


def by_filter(dy):
    return dy.permute(1, 2, 3, 0).contiguous().view(dy.shape[1], -1)


def input_gradient(dy, columns, weight, x_shape, stride):
    filters = weight.view(weight.shape[0], -1)
    slope = -(columns.unsqueeze(0) - filters.unsqueeze(2)).clamp(-1, 1)
    folded = (slope * by_filter(dy).unsqueeze(1)).sum(0)
    folded = folded.view(columns.shape[0], -1, x_shape[0]).permute(2, 0, 1)
    return functional.fold(folded, x_shape[2:], 3, padding=1, stride=stride)


def weight_gradient(dy, columns, weight):
    filters = weight.view(weight.shape[0], -1)
    difference = columns.unsqueeze(0) - filters.unsqueeze(2)
    return (difference * by_filter(dy).unsqueeze(1)).sum(2).view(weight.shape)


def step():
    seconds, cpu = [0.0] * 3, [0.0] * 3
    for channels, size, outputs, stride, count in LAYERS:
        x = torch.randn(BATCH, channels, size, size)
        weight = torch.randn(outputs, channels, 3, 3)
        dy = torch.randn(BATCH, outputs, size // stride, size // stride)
        columns = None
        for product in range(3):
            cpu_start, start = time.process_time(), time.perf_counter()
            if product == 0:
                _, columns = forward(x, weight, stride)
            elif product == 1:
                input_gradient(dy, columns, weight, x.shape, stride)
            else:
                weight_gradient(dy, columns, weight)
            seconds[product] += count * (time.perf_counter() - start)
            cpu[product] += count * (time.process_time() - cpu_start)
    return {"seconds": seconds, "cpuSeconds": cpu}


if __name__ == "__main__":
    with torch.no_grad():
        answer({"ready": True})
        for line in sys.stdin:
            if line.strip() == "memory":
                answer({"peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
            else:
                answer(step())
