// A mutated packed network through `compress`, which rebuilds it. Most cases get the hash that their bytes have, so that
// what lies behind the hash is reached.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { decomposeLayer, encodePacked, integerTensor, packNetwork, weightLayersOf } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { initializeParameters, resNet } from "@dovetail/models";
import { mutateBytes } from "./mutations.mjs";

/** Packed networks with tensors in every form, and the bytes of each that are worth changing. */
export function packedBases() {
  const network = resNet({ depth: 8, classCount: 3, pixels: { height: 8, width: 8 } });
  const weights = initializeParameters(network, createRandomStream(1));
  const layers = new Map(weightLayersOf(network.graph, weights).map((layer) => [layer.name, layer]));
  const random = createRandomStream(2);
  return ["structured", "integers", "mixed"].map((form) => {
    const tensors = new Map();
    for (const [index, [name, tensor]] of [...weights].entries()) {
      const layer = layers.get(name);
      const isStructured = form === "structured" || (form === "mixed" && index % 2 === 0);
      if (!layer) tensors.set(name, { kind: "plain", tensor });
      else if (isStructured) {
        const exponents = 1 + random.integer(7);
        const decomposed = decomposeLayer(tensor.data, layer.shape, { exponents, threshold: 0.05, iterations: 2 });
        tensors.set(name, {
          kind: "structured",
          dimensions: tensor.dimensions,
          isTransposed: false,
          layer: decomposed.layer,
        });
      } else {
        // Dense, with a bitmap, with runs.
        const share = [0, 0.6, 0.97][index % 3];
        const mask = Uint8Array.from(tensor.data, () => (random.uniform() < share ? 0 : 1));
        tensors.set(name, integerTensor(layer, tensor, { bitWidth: 2 + random.integer(7), mask }));
      }
    }
    const bytes = encodePacked(packNetwork(network, tensors));
    const view = new DataView(bytes.buffer);
    const description = view.getUint32(8, true);
    const graph = view.getUint32(12 + description, true);
    const payload = 16 + description + graph;
    const where = Array.from({ length: bytes.length - 32 }, (_, at) => at).filter(
      (at) => (at < payload && at % 5 === 0) || at % 2 === 1,
    );
    return { bytes, where };
  });
}

export function packedCase({ packed }, random, folder) {
  const { bytes, where } = packed[random.integer(packed.length)];
  const path = join(folder, "network.packed");
  const output = join(folder, "network.onnx");
  const mutated = mutateBytes(bytes, random, where);
  if (random.integer(8) > 0 && mutated.length > 32) {
    const end = mutated.length - 32;
    mutated.set(createHash("sha256").update(mutated.subarray(0, end)).digest(), end);
  }
  writeFileSync(path, mutated);
  return { kind: "packed", argv: ["compress", path, "-o", output, "--json", "--quiet"], network: output };
}
