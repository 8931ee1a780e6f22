// The page of the card.
const table = (header, rows) =>
  [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const digits = (value) => Number(value.toPrecision(3)).toString();

/** Geometric mean. */
const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export function orderingsPage(card, { baselines }) {
  const { smartExchange, activations, zeroRows, lockstep, withoutFeature } = card.figures;
  const ratioTable = (figure) =>
    table(
      ["network", "rows zeroed", ...baselines],
      Object.entries(smartExchange).map(([network, costs]) => [
        network,
        `${(100 * zeroRows[network]).toFixed(1)} %`,
        ...baselines.map((baseline) => digits(costs[baseline][figure] / costs.SmartExchange[figure])),
      ]),
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
  return `# Ordering of accelerators: SmartExchange

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

### Where SmartExchange is not first
Its multipliers stand for 64 output channels × 16 input channels or kernel rows; networks with fewer (ResNet-164's first stage has 16) leave slices idle, and SCNN, which puts output pixels on its elements, does not. SCNN is modelled without its waiting and its bank conflicts. With no rows zeroed (MobileNetV2, EfficientNet-B0, DeepLabV3+) what is left of the gain is Booth-coded activations and 4-bit coefficients.
`;
}

function bitSparsity(terms, places) {
  return (100 * (1 - terms.reduce((sum, probability, count) => sum + probability * count, 0) / places)).toFixed(1);
}
