import { fpgaLayerOf, writeArchitecture, writeMapping } from "@dovetail/hardware";
import type { AcceleratorResult, LayerResult } from "@dovetail/systems";
import { runFiles } from "./layout.js";
import { writeChunkMapping, writePipeline } from "./pipeline.js";

/**
 * Names of the mapping files of a network's layers, in the layers' order: the layer's name with dots between its scopes.
 * Names come from files that anyone may have made, so whatever could lead out of the folder is replaced; names that
 * would be the same file get numbers.
 */
export function mappingFileNames(layerNames: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return layerNames.map((layerName) => {
    const plain = layerName.replaceAll("/", ".").replaceAll(/[^A-Za-z0-9_.-]/g, "_");
    const name = plain.replace(/^[.-]+/, "").slice(0, maximumNameLength) || "layer";
    // Some file systems do not tell upper from lower case.
    const key = name.toLowerCase();
    const number = (seen.get(key) ?? 0) + 1;
    seen.set(key, number);
    return number === 1 ? `${name}.yaml` : `${name}-${number}.yaml`;
  });
}

const maximumNameLength = 150;

/** accelerator.yaml and a mapping a layer, by their names in the run folder. */
export function hardwareFiles(accelerator: AcceleratorResult, layers: readonly LayerResult[]): Map<string, string> {
  const names = layers.map(({ name }) => name);
  const description =
    accelerator.kind === "asic"
      ? writeArchitecture(accelerator.architecture)
      : writePipeline(
          accelerator.board,
          accelerator.clockHz,
          accelerator.pipeline,
          layers.map(({ name, problem }) => fpgaLayerOf(name, problem)),
        );
  const files = new Map([[runFiles.accelerator as string, description]]);
  mappingFileNames(names).forEach((file, index) => {
    const { name, mapping, chunk } = layers[index]!;
    const text = mapping ? writeMapping(mapping) : writeChunkMapping({ layer: name, chunk: chunk! });
    files.set(`${runFiles.mappings}/${file}`, text);
  });
  return files;
}
