"""Golden values for @dovetail/train's data sets and checkpoints, from Pillow and from the safetensors library.

Usage: python oracles/data.py SHARED_FOLDER

Reads SHARED_FOLDER/data/cifar10. Writes
  packages/train/src/data/cifar10.golden.json: sha256 of the decoded images (count, channels, height, width; bytes) and
    of the labels of the bundled parts, means of the channels;
  packages/train/src/checkpoint/safetensors.golden.json: a file with a tensor of every element type, in base64, and its
    values as text.
"""

import base64
import hashlib
import io
import json
import pathlib
import sys
import zipfile

import numpy as np
import PIL
import safetensors
import torch
from PIL import Image
from safetensors.torch import save

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "packages" / "train" / "src"
TRAIN_IMAGES_PER_CLASS = 1500


def decoded(archive_path, per_class):
    archive = zipfile.ZipFile(archive_path)
    names = sorted(archive.namelist())
    classes = sorted({name.split("/")[0] for name in names})
    images, labels = [], []
    for label, class_name in enumerate(classes):
        for name in [name for name in names if name.startswith(class_name + "/")][:per_class]:
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
            images.append(pixels.transpose(2, 0, 1))
            labels.append(label)
    images = np.stack(images)
    return {
        "shape": list(images.shape),
        "imagesSha256": hashlib.sha256(images.tobytes()).hexdigest(),
        "labelsSha256": hashlib.sha256(bytes(labels)).hexdigest(),
        "channelMean": [float(value) for value in images.mean(axis=(0, 2, 3), dtype=np.float64)],
        "channelStandardDeviation": [float(value) for value in images.std(axis=(0, 2, 3), dtype=np.float64)],
    }


def write(name, value):
    (SOURCE / name).write_text(json.dumps(value, indent=1) + "\n")


folder = pathlib.Path(sys.argv[1]) / "data" / "cifar10"
write(
    "data/cifar10.golden.json",
    {
        "origin": f"Pillow {PIL.__version__}",
        "train": decoded(folder / "train.zip", TRAIN_IMAGES_PER_CLASS),
        "test": decoded(folder / "test.zip", None),
    },
)

values = [0, 1, 2, 100]
tensors = {
    "weights/float64": torch.tensor([[0.5, -1.25], [3e300, 0.1]], dtype=torch.float64),
    "float32": torch.tensor([[0.5, -1.25, 0.1]], dtype=torch.float32),
    "float16": torch.tensor([0.5, -1.25, 0.1], dtype=torch.float16),
    "bfloat16": torch.tensor([0.5, -1.25, 0.1], dtype=torch.bfloat16),
    "int64": torch.tensor([-(2**62), 2**62], dtype=torch.int64),
    "int32": torch.tensor([-(2**31), 5], dtype=torch.int32),
    "int16": torch.tensor([-(2**15), 5], dtype=torch.int16),
    "int8": torch.tensor([-128, 5], dtype=torch.int8),
    "uint64": torch.tensor([2**63], dtype=torch.uint64),
    "uint32": torch.tensor([2**32 - 1], dtype=torch.uint32),
    "uint16": torch.tensor([2**16 - 1], dtype=torch.uint16),
    "uint8": torch.tensor([255, 0, 7], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "7": torch.tensor(2.5, dtype=torch.float32),
    "empty": torch.zeros((0, 3), dtype=torch.float32),
    "über \"quoted\"": torch.tensor([1], dtype=torch.uint8),
}
bits = {torch.float16: torch.int16, torch.bfloat16: torch.int16}


def listed(tensor):
    patterns = tensor.dtype in bits
    flat = (tensor.view(bits[tensor.dtype]) if patterns else tensor).flatten().tolist()
    return [str(value & 0xFFFF if patterns else float(value) if tensor.is_floating_point() else int(value)) for value in flat]


contents = save(tensors, metadata={"made by": "safetensors"})
write(
    "checkpoint/safetensors.golden.json",
    {
        "origin": f"safetensors {safetensors.__version__}, torch {torch.__version__}",
        "base64": base64.b64encode(contents).decode(),
        "tensors": {
            name: {
                "elementType": str(tensor.dtype).removeprefix("torch."),
                "dimensions": list(tensor.shape),
                "values": listed(tensor),
            }
            for name, tensor in tensors.items()
        },
    },
)
