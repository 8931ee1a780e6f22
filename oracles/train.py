"""Golden vectors for @dovetail/train from PyTorch: schedules, optimizers, and 20 training steps of a small ResNet.

Usage: python oracles/train.py   (writes packages/train/src/**/*.golden.json)
"""

import base64
import json
import pathlib

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

torch.set_num_threads(1)
SOURCE = pathlib.Path(__file__).resolve().parent.parent / "packages" / "train" / "src"


def write(name, value):
    path = SOURCE / name
    path.write_text(json.dumps({"source": f"PyTorch {torch.__version__}, oracles/train.py", **value}) + "\n")
    print(path.name, path.stat().st_size, "bytes")


# --- schedules ---------------------------------------------------------------------------------------------------


def trace(make, steps, momentum=None):
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.2, momentum=momentum or 0)
    scheduler = make(optimizer)
    rates, momenta = [], []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    return (rates, momenta) if momentum else rates


def schedules():
    def warm_up(optimizer):
        first = lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=5)
        then = lr_scheduler.CosineAnnealingLR(optimizer, T_max=15, eta_min=0.001)
        return lr_scheduler.SequentialLR(optimizer, [first, then], milestones=[5])

    def one_cycle(optimizer):
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=37)

    def one_cycle_own(optimizer):
        return lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.3, total_steps=20, pct_start=0.25, div_factor=10, final_div_factor=100
        )

    one, momentum = trace(one_cycle, 37, momentum=0.9)
    return {
        "multiStep": trace(lambda o: lr_scheduler.MultiStepLR(o, milestones=[4, 9], gamma=0.3), 15),
        "cosine": trace(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.01), 21),
        "warmUpThenCosine": trace(warm_up, 20),
        "oneCycle": one,
        "oneCycleMomentum": momentum,
        "oneCycleOwnDivisors": trace(one_cycle_own, 20, momentum=0.9)[0],
    }


# --- optimizers --------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0),
    "sgdMomentumDecay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "sgdNesterovDecay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "adamDecay": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.99), weight_decay=0.1),
    "adamW": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.05),
    "radamDecay": lambda p: torch.optim.RAdam(p, lr=0.05, betas=(0.8, 0.9), weight_decay=0.1),
    "sgdClipped": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
}


def optimizers():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(8, 3, generator=generator)
    y = torch.randn(8, 2, generator=generator)
    weight = torch.randn(2, 3, generator=generator)
    bias = torch.randn(2, generator=generator)
    cases = {}
    for name, make in OPTIMIZERS.items():
        w, b = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        optimizer = make([w, b])
        trajectory = []
        for _ in range(30):
            optimizer.zero_grad()
            nn.functional.mse_loss(x @ w.T + b, y).backward()
            if name == "sgdClipped":
                nn.utils.clip_grad_norm_([w, b], 0.5)
            optimizer.step()
            trajectory.append([*w.detach().flatten().tolist(), *b.detach().tolist()])
        cases[name] = trajectory
    return {
        "x": x.flatten().tolist(),
        "y": y.flatten().tolist(),
        "weight": weight.flatten().tolist(),
        "bias": bias.tolist(),
        "trajectories": cases,
    }


# --- training step -----------------------------------------------------------------------------------------------

WIDTHS = [4, 8, 8]
BATCH, STEPS = 16, 20


def hashed(first, count):
    """Numbers that need no generator: the same formula is in the test."""
    index = np.arange(first, first + count, dtype=np.uint32)
    index = (index ^ (index >> np.uint32(16))) * np.uint32(0x45D9F3B)
    index = (index ^ (index >> np.uint32(16))) * np.uint32(0x45D9F3B)
    return index ^ (index >> np.uint32(16))


def batch(step):
    pixels = BATCH * 3 * 32 * 32
    images = (hashed(step * pixels, pixels) & np.uint32(255)).astype(np.float32).reshape(BATCH, 3, 32, 32)
    labels = (hashed(0x10000000 + step * BATCH, BATCH) % np.uint32(10)).astype(np.int64)
    # A pattern that can be learned: each class brightens its own rows.
    for image, label in zip(images, labels):
        image[:, 3 * label : 3 * label + 3, :] = 255
    return torch.from_numpy(images), torch.from_numpy(labels)


class ConvBn(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.bn(self.conv(x))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = ConvBn(inputs, outputs, 3, stride)
        self.second = ConvBn(outputs, outputs, 3)
        self.shortcut = ConvBn(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else None

    def forward(self, x):
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(y + (self.shortcut(x) if self.shortcut else x))


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvBn(3, WIDTHS[0], 3)
        inputs = WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            setattr(self, f"stage{stage + 1}", nn.ModuleList([Block(inputs, width, 1 if stage == 0 else 2)]))
            inputs = width
        self.classifier = nn.Linear(inputs, 10)

    def forward(self, image):
        mean = torch.tensor([125.307, 122.961, 113.8575]).reshape(1, 3, 1, 1)
        deviation = torch.tensor([62.9932, 62.0887, 66.7048]).reshape(1, 3, 1, 1)
        x = torch.relu(self.stem((image - mean) / deviation))
        for stage in (self.stage1, self.stage2, self.stage3):
            x = stage[0](x)
        return self.classifier(x.mean((2, 3)))


NAMES = {"bn.weight": "bn.scale", "bn.bias": "bn.shift", "running_mean": "runningMean", "running_var": "runningVariance"}


def tensors(model):
    result = {}
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        for theirs, ours in NAMES.items():
            name = name.replace(theirs, ours)
        data = base64.b64encode(value.detach().float().contiguous().numpy().tobytes()).decode()
        result[name] = {"shape": list(value.shape), "float32": data}
    return result


def training_steps():
    torch.manual_seed(0)
    model = ResNet8()
    before = tensors(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=STEPS, cycle_momentum=False)
    loss_function = nn.CrossEntropyLoss(label_smoothing=0.1)
    losses = []
    model.train()
    for step in range(STEPS):
        images, labels = batch(step)
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step == 0:
            after_one = tensors(model)
    model.eval()
    with torch.no_grad():
        logits = model(batch(STEPS)[0])
    return {
        "widths": WIDTHS,
        "batchSize": BATCH,
        "before": before,
        "losses": losses,
        "afterOneStep": after_one,
        "after": tensors(model),
        "inferenceLogits": logits.flatten().tolist(),
    }


write("schedules/schedule.golden.json", schedules())
write("optimizers/optimizer.golden.json", optimizers())
write("trainer/training-step.golden.json", training_steps())
