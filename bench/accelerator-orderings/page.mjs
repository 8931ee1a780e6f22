// The page of the card.
import { scalableUnitArea, unitPace } from "@dovetail/hardware";

const table = (header, rows) =>
  [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const digits = (value) => Number(value.toPrecision(3)).toString();

/** Geometric mean. */
const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export function orderingsPage(card, { baselines, precisions, unitNetworks }) {
  const { smartExchange, activations, zeroRows, lockstep, withoutFeature, units } = card.figures;
  const ratioTable = (figure) =>
    table(
      ["network", "rows zeroed", ...baselines],
      Object.entries(smartExchange).map(([network, costs]) => [
        network,
        `${(100 * zeroRows[network]).toFixed(1)} %`,
        ...baselines.map((baseline) => digits(costs[baseline][figure] / costs.SmartExchange[figure])),
      ]),
    );
  const unitTable = (figure) =>
    table(
      ["network", "over", ...precisions.map((bits) => `${bits} bit`)],
      unitNetworks.flatMap((network) =>
        ["Bit Fusion", "Stripes"].map((other) => [
          network,
          other,
          ...precisions.map((bits) =>
            digits(units[network][bits][other][figure] / units[network][bits]["2-in-1"][figure]),
          ),
        ]),
      ),
    );
  /** The units' energy at another level of the anchor, memories unchanged, at the same mappings. */
  const anchored = (cost, scale) => cost.energyPj + (scale - 1) * cost.unitPj;
  const anchors = table(
    ["anchor", "over", ...precisions.map((bits) => `${bits} bit`)],
    [0.5, 1, 4].flatMap((scale) =>
      ["Bit Fusion", "Stripes"].map((other) => [
        `× ${scale}`,
        other,
        ...precisions.map((bits) =>
          digits(
            mean(
              unitNetworks.map((network) => {
                const costs = units[network][bits];
                return anchored(costs[other], scale) / anchored(costs["2-in-1"], scale);
              }),
            ),
          ),
        ),
      ]),
    ),
  );
  const steps = table(
    ["multipliers in lockstep", "energy, least and most over the networks and baselines", "time"],
    [["8 (as in the zoo)", smartExchange], ...Object.entries(lockstep)].map(([lanes, results]) => [
      lanes,
      ...["energyPj", "latencyCycles"].map((figure) => {
        const all = Object.values(results).flatMap((costs) =>
          baselines.map((baseline) => costs[baseline][figure] / costs.SmartExchange[figure]),
        );
        return `${digits(Math.min(...all))} … ${digits(Math.max(...all))}`;
      }),
    ]),
  );
  const features = table(
    ["without", "energy", "time"],
    Object.entries(withoutFeature).map(([text, results]) => [
      text,
      ...["energyPj", "latencyCycles"].map((figure) =>
        digits(
          mean(
            Object.keys(results).map(
              (network) => results[network].SmartExchange[figure] / smartExchange[network].SmartExchange[figure],
            ),
          ),
        ),
      ),
    ]),
  );
  return `# Orderings of accelerators: SmartExchange, 2-in-1

Made by \`${card.command}\`. ${card.date}, commit ${card.commit}, ${card.machine}. Seeds ${card.seeds.join(", ")} of the mapper; tables are of the first. The limits stand in the program and were written before the first run.

## Claims
${table(
  ["claim", "source", "published", "ours, mean of the seeds", "deviation", "held with every seed"],
  card.claims.map(({ text, source, claimed, ours, spread, unit, held }) => [
    text,
    source,
    `${claimed} ${unit}`,
    `${ours}`,
    `${spread}`,
    held ? "yes" : "no",
  ]),
)}

${card.claims
  .filter(({ tried }) => tried.length > 0)
  .map(({ text, tried }) => `Tried before, ${text}: ${tried.join("; ")}.`)
  .join("\n")}

Not run: ${card.notRun.map(({ text, reason }) => `${text} (${reason})`).join("; ")}.

## SmartExchange
Five machines at 28 nm and 1 GHz with the paper's unit energies, about 772 KB on chip, 64 GB/s, and 1,024 multipliers of 8 bit or 8,192 bit-serial ones. The paper's baselines are known by these totals only; their structure here is ours ([machines](../../bench/accelerator-orderings/machines)), and what is left out of it (waiting for the slowest element, indexing, conflicts of banks) favours the baselines.

Rows zeroed are recalled from the paper's tables, 0 where none is recalled; the baselines meet weights with as many zeros. Activations are measured on ${activations.images} test images of CIFAR-10 in ${activations.file}, the one trained network that we have, and stand for those of all networks: ${(100 * activations.words.zeroFraction).toFixed(1)} % of the words are zero; ${bitSparsity(activations.words.essentialBits, 8)} % of the bits; ${bitSparsity(activations.words.boothTerms, 4)} % of the Booth digits. (The paper, as a public note quotes it, has 79.8 % and 66.0 % for MobileNetV2.)

Energy, baseline over SmartExchange:

${ratioTable("energyPj")}

Time, baseline over SmartExchange:

${ratioTable("latencyCycles")}

How many multipliers wait for the slowest is not known to us. With all of a line's products in step with the other lines of a slice (128) the machine is slower:

${steps}

A feature switched off at a time, over the whole machine; geometric means over the networks:

${features}

## 2-in-1
One machine, its memories and the area of its units fixed (512 Bit Fusion units, 8,192 serial lanes or 2,496 tiled units), each kind of unit with the best mapping found for each layer and precision. Area, cycles and energy of the units are ratios from our own synthesis (rtl.md section 4.3), anchored at 0.298 pJ for the fixed 8×8 unit.

Time, other over 2-in-1:

${unitTable("latencyCycles")}

Energy, other over 2-in-1:

${unitTable("energyPj")}

The anchor is uncertain by a factor of four; geometric means over the networks at other levels of it:

${anchors}

### Why the ordering against both is not met
Products a cycle of 1,000 µm² of units, by how many units share an accumulator:

${densityTable(precisions)}

Where sixteen units share, the tiled unit is ahead of Bit Fusion's (from 3 to 8 bit), but a serial lane shrinks to 101 µm² and is denser still from 5 bit on. Where each has an accumulator of its own, the tiled unit is denser than the serial one, but Bit Fusion's is denser than it. The published ordering, ahead of both, needs a grouped tiled unit beside serial units that are not grouped (a lone one takes 5.6 times the energy of a fixed multiplier at 8 bit, a grouped one 1.4 times, a grouped tiled one 1.7 times: rtl.md sections 4.3 and 4.5). What is not in our figures, and speaks for the paper: its units reach to 16 bit, where a composed one costs 3.4 times a fixed one. What speaks against it: our Bit Fusion unit is not grouped over units, as published, so that a part of what 2-in-1 gains over it is grouping and not tiling (rtl.md section 4.3).

A serial lane takes its operands from the same buffers at the same bandwidth here; where those or the off-chip memory bind (fully connected layers) the units matter less.

### Where SmartExchange is not first
Its multipliers stand for 64 output channels × 16 input channels or kernel rows; networks with fewer (ResNet-164's first stage has 16) leave slices idle, and SCNN, which puts output pixels on its elements, does not. SCNN is modelled without its waiting and its bank conflicts. With no rows zeroed (MobileNetV2, EfficientNet-B0, DeepLabV3+) what is left of the gain is Booth-coded activations and 4-bit coefficients.
`;
}

function densityTable(precisions) {
  const rules = {
    "2-in-1": ["tiledSerial", { kind: "tiledSerial" }],
    "Bit Fusion": ["composable", { kind: "composable", widestBits: 8, narrowestBits: 2 }],
    Stripes: ["serial", { kind: "serial", serialOperand: "weights", widestBits: 8 }],
  };
  const column = (name) => scalableUnitArea.columns.findIndex((candidate) => candidate.name === name);
  return table(
    ["units sharing", "unit", "µm²", ...precisions.map((bits) => `${bits} bit`)],
    scalableUnitArea.rows.flatMap((row) =>
      Object.entries(rules).map(([name, [kind, rule]]) => {
        const area = row[column(kind)];
        const densities = precisions.map((bits) => {
          const { products, cycles } = unitPace(rule, bits, bits);
          return digits((1000 * products) / cycles / area);
        });
        return [row[column("sharing")], name, area, ...densities];
      }),
    ),
  );
}

function bitSparsity(terms, places) {
  return (100 * (1 - terms.reduce((sum, probability, count) => sum + probability * count, 0) / places)).toFixed(1);
}
