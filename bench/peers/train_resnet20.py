"""PyTorch's side of bench/train-parity.mjs: a ResNet-20 trained from the other side's first weights on its batches.

Usage: python bench/peers/train_resnet20.py <folder> <threads>
The folder holds job.json, weights.safetensors, batches.bin (step after step: labels, then images, a byte a value) and
test.bin (the same form, all test images in one piece). Prints one line of JSON.
"""
import json
import os
import pathlib
import sys

folder, threads = pathlib.Path(sys.argv[1]), sys.argv[2]
os.environ["OMP_NUM_THREADS"] = threads

import torch
from torch.nn import functional

from models import ResNet20, load_parameters, read_safetensors

torch.set_num_threads(int(threads))
job = json.loads((folder / "job.json").read_text())
mean = torch.tensor(job["channelMean"]).reshape(1, 3, 1, 1)
layout = torch.channels_last if job["layout"] == "channels-last" else torch.contiguous_format
deviation = torch.tensor(job["channelStandardDeviation"]).reshape(1, 3, 1, 1)


def read_batch(file, count):
    """Normalized images and labels of the next `count` images of a file."""
    labels = torch.frombuffer(bytearray(file.read(count)), dtype=torch.uint8).long()
    pixels = torch.frombuffer(bytearray(file.read(count * 3072)), dtype=torch.uint8)
    images = (pixels.reshape(count, 3, 32, 32).float() - mean) / deviation
    return images.contiguous(memory_format=layout), labels


model = ResNet20()
load_parameters(model, *read_safetensors(folder / "weights.safetensors"))
model = model.to(memory_format=layout)
optimizer = torch.optim.SGD(model.parameters(), job["learningRate"], momentum=0.9, weight_decay=job["weightDecay"])
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, job["learningRate"], total_steps=job["totalSteps"], cycle_momentum=False
)
losses = []
with open(folder / "batches.bin", "rb") as file:
    for _ in range(job["steps"]):
        images, labels = read_batch(file, job["batchSize"])
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())

answer = {"torch": torch.__version__, "losses": losses}
if job["testImages"]:
    model.eval()
    correct = 0
    with torch.no_grad(), open(folder / "test.bin", "rb") as file:
        labels = torch.frombuffer(bytearray(file.read(job["testImages"])), dtype=torch.uint8).long()
        for begin in range(0, job["testImages"], 500):
            part = labels[begin : begin + 500]
            pixels = torch.frombuffer(bytearray(file.read(len(part) * 3072)), dtype=torch.uint8)
            images = (pixels.reshape(-1, 3, 32, 32).float() - mean) / deviation
            correct += int((model(images).argmax(1) == part).sum())
    answer["accuracyFraction"] = correct / job["testImages"]
print(json.dumps(answer))
