import { stringify } from "yaml";
import type { DataMove, ZigZagAccelerator, ZigZagPort } from "../zigzag/accelerator.js";
import type { LayerOperand, RankRelation, ZigZagLayer } from "../zigzag/layer.js";
import type { ZigZagMappingEntry } from "../zigzag/mapping.js";

// ZigZag's YAML files from objects in memory; the readers give the same objects back.

const directions: Readonly<Record<DataMove, string>> = {
  writeFromHigh: "fh",
  writeFromLow: "fl",
  readToLow: "tl",
  readToHigh: "th",
};

const portTypes: Readonly<Record<ZigZagPort["kind"], string>> = {
  read: "read",
  write: "write",
  readWrite: "read_write",
};

function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 120, collectionStyle: "any" });
}

/** Hardware YAML. */
export function writeZigZagHardware({ name, memories, array }: ZigZagAccelerator): string {
  return toYaml({
    name,
    memories: Object.fromEntries(
      memories.map((memory) => [
        memory.name,
        {
          size: memory.sizeBits,
          r_cost: memory.readPj,
          w_cost: memory.writePj,
          area: memory.area ?? 0,
          latency: 1,
          operands: memory.operands,
          ports: memory.ports.map((port) => ({
            name: port.name,
            type: portTypes[port.kind],
            bandwidth_min: port.minBitsPerCycle,
            bandwidth_max: port.maxBitsPerCycle,
            allocation: port.transfers.map(({ operand, move }) => `${operand}, ${directions[move]}`),
          })),
          served_dimensions: memory.servedDimensions,
        },
      ]),
    ),
    operational_array: {
      unit_energy: array.unitEnergyPj,
      unit_area: array.unitArea ?? 0,
      dimensions: array.dimensions.map((dimension) => dimension.name),
      sizes: array.dimensions.map((dimension) => dimension.size),
    },
  });
}

/** Mapping YAML. */
export function writeZigZagMapping(entries: readonly ZigZagMappingEntry[]): string {
  return toYaml(
    entries.map(({ name, spatial, spatialHints, order, links }) => ({
      name,
      spatial_mapping: Object.fromEntries(
        Object.entries(spatial).map(([axis, unrolling]) => [
          axis,
          unrolling.map(({ dimension, factor }) => `${dimension}, ${factor}`),
        ]),
      ),
      ...(Object.keys(spatialHints).length > 0 && { spatial_mapping_hint: spatialHints }),
      memory_operand_links: links,
      ...(order.inner.length + order.outer.length > 0 && {
        temporal_ordering: [
          ...order.inner.map(({ dimension, factor }) => [dimension, factor ?? "*"]),
          ...(order.outer.length > 0 ? [["*", "*"]] : []),
          ...order.outer.map(({ dimension, factor }) => [dimension, factor ?? "*"]),
        ],
      }),
    })),
  );
}

/** Workload YAML. Padding is not told apart: sizes of windows are those that are stored. */
export function writeZigZagWorkload(layers: readonly ZigZagLayer[]): string {
  return toYaml(
    layers.map((layer) => ({
      id: layer.id,
      name: layer.name,
      operator_type: layer.operator,
      equation: `${indexed(layer.output)}+=${layer.inputs.map(indexed).join("*")}`,
      dimension_relations: layer.relations.map(relationText),
      loop_dims: Object.keys(layer.dimensions),
      loop_sizes: Object.values(layer.dimensions),
      ...(layer.relations.length > 0 && {
        pr_loop_dims: layer.relations.map(({ rank }) => rank),
        pr_loop_sizes: layer.relations.map(({ size }) => size),
      }),
      operand_precision: {
        [layer.output.name]: layer.output.bits,
        [`${layer.output.name}_final`]: layer.output.finalBits,
        ...Object.fromEntries(layer.inputs.map(({ name, bits }) => [name, bits])),
      },
      operand_source: layer.sources,
    })),
  );
}

function indexed({ name, ranks }: LayerOperand): string {
  return `${name}${ranks.map((rank) => `[${rank.toLowerCase()}]`).join("")}`;
}

function relationText({ rank, a, b }: RankRelation): string {
  const term = ({ coefficient, dimension }: RankRelation["a"]): string => `${coefficient}*${dimension.toLowerCase()}`;
  return `${rank.toLowerCase()}=${term(a)}+${term(b)}`;
}
