import {
  type Architecture,
  countKinds,
  explainCount,
  type Mapping,
  type MappingCost,
  type Problem,
  printExplanation,
} from "@dovetail/hardware";
import { type Markup, markup } from "../markup/markup.js";

/** A layer whose counts can be derived. */
interface CountedLayer {
  readonly problem: Problem;
  readonly mapping: Mapping;
  readonly cost: MappingCost;
}

/** Every count that is not 0, derived loop by loop; those that cost the most energy first. */
export function countDerivations(layer: CountedLayer, architecture: Architecture): Markup {
  const texts = costliestFirst(layer.cost).flatMap(({ level, dataSpace, words }) =>
    countKinds.filter((kind) => words[kind] > 0).map((kind) => derive(layer, architecture, level, dataSpace, kind)),
  );
  return markup`<details><summary>How each count comes about</summary>
<pre tabindex="0"><code>${texts.join("\n\n")}</code></pre>
</details>
`;
}

function costliestFirst({ levels }: MappingCost) {
  return levels
    .flatMap(({ level, dataSpaces }) =>
      dataSpaces.map((words) => ({ level, dataSpace: words.dataSpace, words, energyPj: words.energyPj })),
    )
    .sort((left, right) => right.energyPj - left.energyPj);
}

/** Derived in the model that the cost was counted in: *exact* gives bounds of its cycles, *timeloop* none. */
function derive(
  { problem, mapping, cost }: CountedLayer,
  architecture: Architecture,
  level: string,
  dataSpace: string,
  kind: (typeof countKinds)[number],
): string {
  const model = cost.exactCycles === undefined ? "timeloop" : "exact";
  const explanation = explainCount(problem, architecture, mapping, { level, dataSpace, kind, model });
  if (!explanation.ok) throw new Error(`a mapping that has a cost does not fit: ${explanation.reason}`);
  return printExplanation(explanation);
}
