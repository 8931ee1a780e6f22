import { countMacs, parameterCount } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { bundledBenchmark } from "../testing/bundled.js";
import { canonicalCell, cellCodeOf, cellCount, cellDigits, formatCell, liveEdges, parseCell } from "./cell.js";
import { cellMacs, cellNetwork, cellParameters } from "./cell-network.js";
import { fbnetKeys, formatFbnet, parseFbnet } from "./fbnet.js";
import { fbnetMacs, fbnetParameters } from "./fbnet-network.js";

const { cells, fbnet } = await bundledBenchmark();

describe("cells of NAS-Bench-201", () => {
  it("are written and read", () => {
    for (let code = 0; code < cellCount; code++) {
      expect(parseCell(formatCell(code))).toBe(code);
      expect(cellCodeOf(cellDigits(code))).toBe(code);
    }
  });

  it("stand at the benchmark's indices", () => {
    expect(formatCell(cells.codes[0]!)).toBe(
      "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    );
    expect(new Set(cellDigits(cells.codes[1462]!))).toEqual(new Set([3]));
  });

  it("are 6,466 after isomorphism", () => {
    const forms = new Set(Array.from({ length: cellCount }, (_, code) => canonicalCell(code)));
    expect(forms.size).toBe(6466);
    expect(canonicalCell(cells.codes[0]!)).toBe("(0)@avg_pool_3x3+(0)@avg_pool_3x3+(0)@nor_conv_1x1+(0)@nor_conv_1x1");
  });

  it("know which edges reach the output", () => {
    expect(liveEdges(cells.codes[1462]!)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(liveEdges(parseCell("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"))).toEqual([
      3,
    ]);
    expect(liveEdges(parseCell("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"))).toEqual([0, 4]);
    expect(liveEdges(0)).toEqual([]);
  });

  it("say where a string is wrong and what exists", () => {
    expect(() => parseCell("|none~0|+|none~0|none~1|")).toThrow('expected three nodes joined by "+", received 2');
    expect(() => parseCell("|none~0|+|none~0|none~1|+|none~0|nor_conv3x3~1|none~2|")).toThrow(
      /edge 1→3 .*one of none, skip_connect, .*did you mean nor_conv_3x3/,
    );
    expect(() => parseCell("|none~0|+|none~0|none~0|+|none~0|none~1|none~2|")).toThrow('then "~1", received "none~0"');
    expect(() => parseCell("none~0+|none~0|none~1|+|none~0|none~1|none~2|")).toThrow("1 edges between bars for node 1");
  });

  it.each([
    [0, 129_306, 15_647_360],
    [1, 802_426, 113_951_360],
    [1462, 1_531_546, 220_119_680],
  ])("have the published parameters and multiply–accumulates: network %i", (index, parameters, macs) => {
    const code = cells.codes[index]!;
    expect(cellParameters(code, "cifar10")).toBe(parameters);
    expect(cellMacs(code, "cifar10")).toBe(macs);
  });

  it.each(["cifar10", "cifar100", "ImageNet16-120"] as const)(
    "count as their graphs do where every edge is used: %s",
    (dataset) => {
      for (const text of ["2,3,4,3,2,1", "1,1,1,2,3,2", "3,4,3,4,3,4"]) {
        const code = cellCodeOf(text.split(",").map(Number));
        const network = cellNetwork(code, dataset);
        expect(countMacs(network.graph)).toBe(cellMacs(code, dataset));
        expect(parameterCount(network, { trainableOnly: true })).toBe(cellParameters(code, dataset));
      }
    },
  );

  it("make a network even where nothing flows", () => {
    const network = cellNetwork(0, "cifar10");
    expect(network.graph.types.get(network.logits)!.shape).toEqual(["batch", 10]);
  });
});

describe("FBNet", () => {
  it("uses 224 of the 225 entries of the tables", () => {
    const used = (["cifar100", "ImageNet"] as const).flatMap((dataset) => {
      const { stem, positions, header, pool, classifier } = fbnetKeys(dataset);
      return [stem, ...positions.flat(), header, pool, classifier];
    });
    const keys = [...fbnet.tables.get("edgegpu_latency")!.keys()];
    expect(keys.length).toBe(225);
    expect(keys.filter((key) => !used.includes(key))).toEqual(["FC_Cin1504_Cout10"]);
  });

  it("is read as indices or names", () => {
    const operators = Array.from({ length: 22 }, (_, position) => position % 9);
    expect(parseFbnet(formatFbnet(operators))).toEqual(operators);
    expect(parseFbnet(`[${operators.join(", ")}]`)).toEqual(operators);
    expect(() => parseFbnet("0,1")).toThrow("expected 22 operators, received 2");
    expect(() => parseFbnet(operators.join(",").replace("8", "9"))).toThrow(/position 9 .*received 9/);
    expect(() => parseFbnet(formatFbnet(operators).replace("k5_e6", "k5e6"))).toThrow("did you mean k5_e6");
  });

  it("counts what its blocks have", () => {
    const skips = new Array<number>(22).fill(8);
    const first = [0, ...skips.slice(1)];
    // Operator 0 at position 1: 16 → 16 on 32×32: two 1×1 convolutions and a depth-wise 3×3, three batch norms.
    expect(fbnetMacs(first, "cifar100") - fbnetMacs(skips, "cifar100")).toBe((2 * 16 * 16 + 9 * 16) * 1024);
    expect(fbnetParameters(first, "cifar100") - fbnetParameters(skips, "cifar100")).toBe(2 * 16 * 16 + 9 * 16 + 96);
    const grouped = [1, ...skips.slice(1)];
    expect(fbnetMacs(grouped, "cifar100") - fbnetMacs(skips, "cifar100")).toBe((2 * 16 * 8 + 9 * 16) * 1024);
  });
});
