"""Golden vectors for @dovetail/attack from AutoAttack: Auto-PGD and FAB step by step on a small network, Square's windows.

Usage: python oracles/attacks.py AUTOATTACK

AUTOATTACK: a checkout of github.com/fra31/auto-attack at commit a3922004; it needs torch alone.
Writes packages/attack/src/attacks/auto-attack.golden.json. All runs begin at given points, so that nothing is random;
the network has no kinks, and no gradient comes near 0, so that no sign depends on rounding.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, sys.argv[1])
from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted  # noqa: E402
from autoattack.fab_projections import projection_linf  # noqa: E402
from autoattack.fab_pt import FABAttack_PT  # noqa: E402
from autoattack.square import SquareAttack  # noqa: E402

torch.set_num_threads(1)
TARGET = pathlib.Path(__file__).resolve().parent.parent / "packages/attack/src/attacks/auto-attack.golden.json"
SIDE, CLASSES, IMAGES, STEPS, EPSILON = 4, 6, 4, 50, 0.06
CANDIDATES = 2000
KEPT = [0, 1, 2, 3, *range(5, STEPS + 1, 5)]


class Recorder(nn.Module):
    """The network, and all images that it was given."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen = network, []

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return self.network(x)


def encode(values):
    return base64.b64encode(np.asarray(torch.as_tensor(values).detach(), dtype=np.float32).tobytes()).decode()


def make_network(seed):
    torch.manual_seed(seed)
    conv1, conv2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, stride=2, padding=1)
    linear = nn.Linear(8 * (SIDE // 2) ** 2, CLASSES)
    network = nn.Sequential(conv1, nn.Sigmoid(), conv2, nn.Sigmoid(), nn.Flatten(), linear)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= 3
    names = {"conv1": conv1, "conv2": conv2, "classifier": linear}
    weights = {f"{name}.{kind}": getattr(layer, kind) for name, layer in names.items() for kind in ("weight", "bias")}
    # As the network there: raw pixels 0-255 are normalized inside.
    return nn.Sequential(nn.BatchNorm2d(3, affine=False).eval(), network), weights


def normalize(network):
    network[0].running_mean.fill_(0.5)
    network[0].running_var.fill_((64 / 255) ** 2)
    network[0].eps = 0.0
    return network


def apgd(network, loss, images, labels, start, targets=None):
    kind = APGDAttack if targets is None else APGDAttack_targeted
    recorder = Recorder(network)
    attack = kind(recorder, n_iter=STEPS, eps=EPSILON, norm="Linf", device="cpu", **({"loss": loss} if targets is None else {}))
    if targets is not None:
        attack.y_target = targets
    attack.init_hyperparam(images)
    best, right, losses, adversarial = attack.attack_single_run(images, labels, x_init=start)
    criterion = {
        "cross-entropy": nn.CrossEntropyLoss(reduction="none"),
        "dlr": attack.dlr_loss,
        "targeted-dlr": getattr(attack, "dlr_loss_targeted", None),
    }["cross-entropy" if loss == "ce" else loss]
    with torch.no_grad():
        traced = [criterion(network(points), labels) for points in recorder.seen]
    gradients = torch.stack([smallest_gradient(network, criterion, points, labels) for points in recorder.seen])
    safety = torch.minimum(gradients.amin(0), smallest_rise(recorder.seen, traced))
    assert len(recorder.seen) == STEPS + 1
    return safety, {
        "loss": "cross-entropy" if loss == "ce" else loss,
        "losses": encode(torch.stack(traced)),
        "points": encode(torch.stack([recorder.seen[step] for step in KEPT])),
        "best": encode(best),
        "bestLosses": encode(losses),
        "right": right.int().tolist(),
        "adversarial": encode(adversarial),
    }


def smallest_gradient(network, criterion, points, labels):
    x = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(criterion(network(x), labels).sum(), [x])
    return gradient.abs().flatten(1).amin(1) / gradient.abs().flatten(1).amax(1)


def smallest_rise(points, losses):
    """Of an image's comparisons of losses the closest, as a share of the loss; equal points give equal losses."""
    best, best_points = losses[0].clone(), points[0].clone()
    closest = torch.full_like(best, np.inf)
    for step in range(1, len(points)):
        for reference, there in ((losses[step - 1], points[step - 1]), (best, best_points)):
            differs = (points[step] - there).abs().flatten(1).amax(1) > 0
            gaps = (losses[step] - reference).abs() / reference.abs().clamp(min=1e-3)
            closest = torch.where(differs, torch.minimum(closest, gaps), closest)
        rises = losses[step] > best
        best_points = torch.where(rises.view(-1, 1, 1, 1), points[step], best_points)
        best = torch.maximum(best, losses[step])
    return closest


def fab(network, images, labels, steps=20):
    recorder = Recorder(network)
    attack = FABAttack_PT(recorder, n_iter=steps, eps=EPSILON, norm="Linf", targeted=True, device="cpu")
    attack.target_class = 2
    nearest = attack.attack_single_run(images, labels, use_rand_start=False, is_targeted=True)
    # Two passes before the first step, two a step: the gradient's, then the decision's.
    points = recorder.seen[2::2]
    assert len(points) == steps
    safety = torch.stack([decision_margin(network, decided, labels) for decided in recorder.seen[3::2]]).amin(0)
    return safety, {"steps": steps, "points": encode(torch.stack(points)), "nearest": encode(nearest)}


def decision_margin(network, points, labels):
    """Distance of the label's logit from the largest other one, as a share of the spread."""
    with torch.no_grad():
        logits = network(points)
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -np.inf).amax(1)
    return (own - others).abs() / (logits.amax(1) - logits.amin(1))


def projections(count=24, size=12):
    random = np.random.default_rng(11)
    points = torch.tensor(random.uniform(0, 1, (count, size)), dtype=torch.float64)
    normals = torch.tensor(random.normal(size=(count, size)), dtype=torch.float64)
    normals[3, 2:5] = 0
    # The last offsets are out of reach.
    offsets = torch.tensor(random.normal(size=count), dtype=torch.float64)
    offsets[-4:] = torch.tensor([40.0, -40.0, 25.0, -25.0])
    steps = projection_linf(points, normals, offsets)
    return {name: value.tolist() for name, value in
            {"points": points, "normals": normals, "offsets": offsets, "steps": steps}.items()}


def square_sides():
    attack = SquareAttack(nn.Identity(), p_init=0.8, n_queries=5000, eps=EPSILON, norm="Linf", device="cpu", resc_schedule=False)
    iterations = [0, 10, 11, 50, 51, 200, 201, 500, 501, 1000, 1001, 2000, 2001, 4000, 4001, 4999, 6001, 8001]
    sides = [min(max(int(round((attack.p_selection(it) * 32 * 32) ** 0.5)), 1), 32) for it in iterations]
    return {"iterations": iterations, "sides": sides}


def run_all(network, images, labels, targets, start):
    return [
        apgd(network, "ce", images, labels, start),
        apgd(network, "dlr", images, labels, start),
        apgd(network, "targeted-dlr", images, labels, start, targets),
    ]


def safest(candidates, runs, each):
    """The images whose decisions are furthest from rounding: so many that cross-entropy did not break, and that it did."""
    safety = torch.stack([value for value, _ in runs]).amin(0)
    right = torch.tensor(runs[0][1]["right"]).bool()
    rows = [row for group in (right, ~right) for row in sorted(torch.arange(candidates)[group].tolist(),
            key=lambda row: -safety[row])[:each]]
    print("smallest share by which a decision was made:", safety[rows].min().item())
    return rows


network, weights = make_network(1)
normalize(network).eval()
images = torch.rand(CANDIDATES, 3, SIDE, SIDE)
with torch.no_grad():
    logits = network(images)
labels, targets = logits.argmax(1), logits.sort(dim=1)[1][:, -2]
start = (images + EPSILON * (2 * torch.rand(images.shape) - 1)).clamp(0, 1)
runs = [*run_all(network, images, labels, targets, start), fab(network, images, labels)]
rows = safest(CANDIDATES, runs, IMAGES // 2)
images, labels, targets, start = images[rows], labels[rows], targets[rows], start[rows]
golden = {
    "source": f"AutoAttack a3922004, PyTorch {torch.__version__}, oracles/attacks.py",
    "side": SIDE,
    "classCount": CLASSES,
    "epsilon": EPSILON,
    "steps": STEPS,
    "kept": KEPT,
    "weights": {name: encode(value) for name, value in weights.items()},
    "images": encode(images),
    "labels": labels.tolist(),
    "targets": targets.tolist(),
    "start": encode(start),
    "apgd": [run for _, run in run_all(network, images, labels, targets, start)],
    "fab": fab(network, images, labels)[1],
    "projections": projections(),
    "square": square_sides(),
}
TARGET.write_text(json.dumps(golden) + "\n")
print(TARGET.name, TARGET.stat().st_size, "bytes")
