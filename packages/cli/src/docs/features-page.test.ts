import { gradientTable, incompatibleSince, ownOperators, shapeTable, upgradeTable } from "@dovetail/graph";
import { freeOperators, layerTable, operationTable } from "@dovetail/hardware";
import { type QuantizedRole, quantizedRoles } from "@dovetail/quant";
import { blockedTable } from "@dovetail/runtime";
import { expect, it } from "vitest";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const ownPrefix = "ai.dovetail.";

/** Operator sets of ONNX that are read: `readModel` refuses others. */
const [oldest, newest] = [11, 21];
/** Known for graphs that are built here, of sets that are not read. */
const later: Readonly<Record<string, number>> = { RMSNormalization: 23, Swish: 24 };

function sets(operator: string): string {
  if (operator.startsWith(ownPrefix)) return "own";
  if (own(later, operator) !== undefined) return `(${later[operator]})`;
  const since = own(incompatibleSince, operator);
  return `${oldest}–${since === undefined ? newest : since - 1}${own(upgradeTable, operator) ? ", rewritten" : ""}`;
}

function workload(operator: string): string {
  if (own(layerTable, operator)) return "loop nest";
  if (freeOperators.has(operator)) return "free";
  return own(operationTable, operator)?.kind ?? "";
}

const roles: Readonly<Record<QuantizedRole, string>> = {
  weighted: "weight and input",
  computing: "inputs",
  fused: "fused",
  passing: "passed on",
};

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

const yes = (has: boolean): string => (has ? "yes" : "");

function row(operator: string): string[] {
  const role = own(quantizedRoles, operator);
  return [
    `\`${operator}\``,
    sets(operator),
    yes(Object.hasOwn(gradientTable, operator)),
    workload(operator),
    yes(Object.hasOwn(blockedTable, operator)),
    role === undefined ? "" : roles[role],
  ];
}

const operators = Object.keys(shapeTable);
const standard = operators.filter((name) => !name.startsWith(ownPrefix)).sort();
const ours = operators.filter((name) => name.startsWith(ownPrefix)).sort();

it("docs/features.md says what is supported of every operator", async () => {
  const count = (table: Readonly<Record<string, unknown>>): string =>
    `${standard.filter((operator) => Object.hasOwn(table, operator)).length}`;
  const header = ["operator", "sets", "gradient", "workload", "blocked", "quantized"];
  const page = pageWithTables("features.md", {
    totals: markdownTable(
      ["of ONNX's own operators", "number"],
      [
        ["types and shapes are inferred", `${standard.length}`],
        ["of these: gradient rule", count(gradientTable)],
        ["loop nest (convolutions and matrix products)", count(layerTable)],
        ["operation with element counts", count(operationTable)],
        ["form on blocked kernels", count(blockedTable)],
        ["role in the quantized export", count(quantizedRoles)],
      ],
    ),
    standard: markdownTable(header, standard.map(row)),
    own: markdownTable(header, ours.map(row)),
  });
  await expect(page).toMatchFileSnapshot(pageFile("features.md"));
});

it("no other table knows an operator that the shape table does not", () => {
  const known = new Set(operators);
  for (const table of [gradientTable, layerTable, operationTable, blockedTable, quantizedRoles, upgradeTable]) {
    expect(Object.keys(table).filter((operator) => !known.has(operator))).toEqual([]);
  }
  expect(
    Object.keys(ownOperators)
      .map((name) => `${ownPrefix}${name}`)
      .sort(),
  ).toEqual(ours);
});
