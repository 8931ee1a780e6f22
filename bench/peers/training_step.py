"""PyTorch's side of bench/train.mjs: a training step a line on standard input, one line of JSON each.

Usage: python bench/peers/training_step.py <network> <batch size> <threads> <weights> <layout> <mode>
network: resnet20 or mobilenetv2; weights: the safetensors file that bench/train/worker.mjs wrote, with the first
weights, pixels and labels; layout: nchw or channels-last; mode: eager or compile.
"""
import os
import sys

network, batch_text, threads, weights_file, layout, mode = sys.argv[1:7]
os.environ["OMP_NUM_THREADS"] = threads

import torch
from torch.nn import functional

from models import MobileNetV2, ResNet20, load_parameters, read_safetensors
from serve import serve

torch.set_num_threads(int(threads))


tensors, order = read_safetensors(weights_file)
pixels, labels = tensors.pop("pixels"), tensors.pop("labels")
# The network of the other side normalizes its pixels itself.
mean = torch.tensor([125.307, 122.961, 113.8575]).reshape(1, 3, 1, 1)
deviation = torch.tensor([62.9932, 62.0887, 66.7048]).reshape(1, 3, 1, 1)
images = (pixels - mean) / deviation
model = {"resnet20": ResNet20, "mobilenetv2": MobileNetV2}[network]()
load_parameters(model, tensors, order)
if layout == "channels-last":
    model = model.to(memory_format=torch.channels_last)
    images = images.contiguous(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4, fused=True)
forward = torch.compile(model) if mode == "compile" else model


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = functional.cross_entropy(forward(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


serve(step, mode=f"PyTorch {torch.__version__} {mode}", threads=torch.get_num_threads())
