import { isInside, layerScope } from "./layer-name.js";
import type { LayerResult, ReportCandidate } from "./report-data.js";

/** Layers that belong together: those of a position of the search space, or of one scope of the network. */
export interface Block {
  readonly name: string;
  /** Operator that the search chose here. */
  readonly operator?: string | undefined;
  /** Empty where the operator does nothing. */
  readonly layers: readonly LayerResult[];
}

/**
 * Blocks of a network in the order of its layers. Layers inside a position's scope are that position's; of the others,
 * neighbours with the same scope are one block. Positions without layers come after the position before them.
 */
export function networkBlocks(
  candidate: Pick<ReportCandidate, "layers" | "operators">,
  positions: readonly string[],
): readonly Block[] {
  const searched = candidate.operators?.length === positions.length ? positions : [];
  const blocks: { name: string; operator?: string | undefined; layers: LayerResult[] }[] = [];
  for (const layer of candidate.layers) {
    const name = searched.find((position) => isInside(layer.name, position)) ?? layerScope(layer.name);
    const last = blocks[blocks.length - 1];
    if (last?.name === name) last.layers.push(layer);
    else blocks.push({ name, operator: candidate.operators?.[searched.indexOf(name)], layers: [layer] });
  }
  searched.forEach((name, index) => {
    if (blocks.some((block) => block.name === name)) return;
    const before = blocks.findIndex((block) => block.name === searched[index - 1]);
    const after = blocks.findIndex((block) => searched.indexOf(block.name) > index);
    const at = before >= 0 ? before + 1 : after >= 0 ? after : blocks.length;
    blocks.splice(at, 0, { name, operator: candidate.operators?.[index], layers: [] });
  });
  return blocks;
}
