// The tables of the card of 2-in-1's algorithm.
import type { CardTable } from "../reproduction/card.js";
import { percent, rounded } from "../reproduction/claims.js";
import type { BriefFigures, FullFigures } from "./evaluate-robustness.js";
import { seedsOf } from "./experiment.js";
import { dialSets, type TrainedAt, type UsedAt, uses } from "./pieces.js";
import { meanBitOperations } from "./precision-set.js";
import type { Results } from "./results.js";

const useNames: Readonly<Record<`${TrainedAt} ${UsedAt}`, string>> = {
  "single single": "one precision",
  "single rpi": "one precision, RPI",
  "rpt single": "RPT, one precision",
  "rpt rpi": "RPT + RPI",
};

export const useName = (at: TrainedAt, used: UsedAt): string => useNames[`${at} ${used}`];

export function methodsTable({ experiment, brief }: Results): CardTable {
  const { methods, pgdSteps } = experiment;
  return {
    title: `Trainings, ${experiment.attackedImages} images, %`,
    columns: ["training", "used", "seeds", "clean", `published PGD-${pgdSteps}`, `PGD-${pgdSteps} on the exact mean`],
    rows: methods.flatMap(({ method }) =>
      uses.map(([at, used]) => {
        const all = seedsOf(experiment, method).map((seed) => brief(method, at, used, seed));
        const mean = (of: (figures: BriefFigures) => number): number =>
          percent(all.reduce((sum, figures) => sum + of(figures), 0) / all.length);
        return [
          method,
          useName(at, used),
          all.length,
          mean(({ clean }) => clean),
          mean(({ published: figure }) => figure),
          mean(({ adaptive }) => adaptive),
        ];
      }),
    ),
    note: "Published: one draw for each batch of 128 images, so that the figure has a spread of its own.",
  };
}

export function attacksTable({ full }: Results): CardTable {
  const figures = uses.map(([at, used]) => full(at, used));
  const cell = ({ accuracy, interval }: { accuracy: number; interval: number[] }): string =>
    `${percent(accuracy)} [${interval.map(percent).join(", ")}]`;
  const [first] = figures;
  return {
    title: "PGD-7 training: adaptive evaluation, % with 95 % intervals",
    columns: ["attack", ...uses.map(([at, used]) => useName(at, used))],
    rows: [
      ["none", ...figures.map(({ clean }) => cell(clean))],
      ...first!.attacks.map(({ name }, index) => [name, ...figures.map(({ attacks }) => cell(attacks[index]!))]),
      ["worst of all, image by image", ...figures.map(({ worst }) => cell(worst))],
      [
        "published protocol, exact mean",
        ...figures.map(({ transfer }) => (transfer ? percent(transfer.frozenMean) : null)),
      ],
      ["the same, nothing frozen", ...figures.map(({ transfer }) => (transfer ? percent(transfer.freeMean) : null))],
    ],
  };
}

export function decisionsTable({ full }: Results): CardTable {
  return {
    title: "PGD-7 training: ways to decide, on the worst points of the adaptive evaluation, %",
    columns: ["used", "drawn", "all precisions right", "majority vote", "mean softmax"],
    rows: uses.map(([at, used]) => {
      const { worst, decisions } = full(at, used);
      const { worstCase, majorityVote, ensembleMean } = decisions;
      return [useName(at, used), ...[worst.accuracy, worstCase, majorityVote, ensembleMean].map(percent)];
    }),
    note: "The points were made against the draw: other ways to decide may have worse ones.",
  };
}

export function matrixTables({ experiment, full }: Results): CardTable[] {
  const { precisions, pgdSteps } = experiment;
  return (["single", "rpt"] as const).flatMap((at) => {
    const { free, frozen } = full(at, "rpi").transfer!;
    const table = (title: string, matrix: readonly (readonly number[])[]): CardTable => ({
      title: `${title}, PGD-7 training ${at === "rpt" ? "with RPT" : `at ${experiment.single} bit`}, %`,
      columns: ["decides", ...precisions.map((bits) => `attacked at ${bits} bit`)],
      rows: matrix.map((row, index) => [`${precisions[index]} bit`, ...row.map(percent)]),
    });
    return [
      table(`Transfer of PGD-${pgdSteps}, nothing frozen`, free),
      table(`Transfer of PGD-${pgdSteps}, misclassified images frozen`, frozen),
    ];
  });
}

export function dialTable({ experiment, dial }: Results): CardTable {
  return {
    title: "The dial: one set of weights (PGD-7, RPT), other sets in use",
    columns: ["set", "bit-operations a product", "clean, %", "published, %", "adaptive PGD, %"],
    rows: dialSets(experiment.precisions).map((set, index) => {
      const { clean, published: figure, adaptive } = dial[index]!;
      return [set.join(", "), rounded(meanBitOperations(set), 4), percent(clean), percent(figure), percent(adaptive)];
    }),
    note: "Bit-operations: the mean of b² over the set; 1,024 in float32.",
  };
}

export function linesTable(
  title: string,
  { full }: Results,
  of: (figures: FullFigures) => FullFigures["rules"],
): CardTable {
  const figures = uses.map(([at, used]) => of(full(at, used)));
  return {
    title,
    columns: ["line", ...uses.map(([at, used]) => useName(at, used))],
    rows: figures[0]!.map(({ name }, index) => [
      name,
      ...figures.map((lines) => `${lines[index]!.state}; ${lines[index]!.figure}`),
    ]),
  };
}
