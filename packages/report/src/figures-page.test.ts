import { expect, it } from "vitest";
import { expectWellFormed, tagsOf } from "../fixtures/well-formed.js";
import { type FiguresPage, renderFiguresPage } from "./index.js";

const page: FiguresPage = {
  title: "Costs of <all> networks",
  kicker: "HW-NAS-Bench",
  introduction: ["What is shown & how."],
  sections: [
    {
      title: "Front",
      paragraphs: ["Each dot is a network."],
      plots: [
        {
          kind: "cloud",
          title: "Accuracy and latency",
          explanation: "up and left is better",
          label: "a cloud",
          name: "networks",
          xTitle: "ms",
          yTitle: "%",
          x: [1, 2],
          y: [3, 4],
        },
        {
          kind: "lines",
          title: "Best so far",
          explanation: "",
          label: "curves",
          xTitle: "queries",
          yTitle: "%",
          series: [{ name: "random", series: "c0", points: [[1, 2]] }],
        },
      ],
    },
    {
      title: "Correlations",
      plots: [
        {
          kind: "matrix",
          title: "Kendall",
          explanation: "1 is the same order",
          label: "a matrix",
          rows: ["a"],
          columns: ["b"],
          values: [[0.5]],
        },
      ],
      tables: [
        {
          caption: "the figures",
          columns: [{ title: "device" }, { title: "τ", number: true }],
          rows: [["<a>", "0.5"]],
        },
      ],
    },
  ],
};

it("is one well-formed page that loads and runs nothing, the same for the same data", () => {
  const html = renderFiguresPage(page);
  expectWellFormed(html);
  expect(tagsOf(html).map(({ name }) => name)).not.toContain("script");
  expect(html).toContain("default-src &#39;none&#39;");
  expect(renderFiguresPage(page)).toBe(html);
});

it("escapes what it shows, and links to its sections", () => {
  const html = renderFiguresPage(page);
  expect(html).toContain("Costs of &lt;all&gt; networks");
  expect(html).toContain("&lt;a&gt;");
  for (const id of ["part1", "part2"]) {
    expect(html).toContain(`href="#${id}"`);
    expect(html).toContain(`id="${id}"`);
  }
  expect(tagsOf(html).filter(({ name }) => name === "figure")).toHaveLength(3);
});
