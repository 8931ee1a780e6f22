import { describe, expect, it } from "vitest";
import { asicFixture, fpgaFixture, networkOnlyFixture } from "../fixtures/co-search.js";
import { expectWellFormed, tagsOf } from "../fixtures/well-formed.js";
import { type ReportData, renderOverviewSvg, renderReport } from "./index.js";

const fixtures = { asic: asicFixture, fpga: fpgaFixture, "network only": networkOnlyFixture };
const everySection = [
  "result",
  "asked",
  "search",
  "design",
  "layers",
  "energy",
  "comparison",
  "images",
  "reproduction",
];

describe.each(Object.entries(fixtures))("report of %s", (_, fixture) => {
  const html = renderReport(fixture());
  const tags = tagsOf(html);

  it("is well-formed", () => {
    expectWellFormed(html);
  });

  it("loads nothing and runs nothing", () => {
    const loading = /.{0,60}(https?:|\/\/[a-z]|@import|url\(|<script|<link|<iframe|<object|javascript:).{0,60}/i;
    expect(html.match(loading)?.[0]).toBe(undefined);
    for (const { name, attributes } of tags) {
      expect(Object.keys(attributes).filter((attribute) => /^on/i.test(attribute))).toEqual([]);
      for (const [attribute, value] of Object.entries(attributes)) {
        if (!/^(src|href|srcset|data|action|xlink:href)$/.test(attribute)) continue;
        expect(value, `${attribute} of ${name}`).toMatch(name === "a" ? /^#/ : /^data:image\//);
      }
    }
  });

  it("is the same for the same data", () => {
    expect(renderReport(fixture()) === html).toBe(true);
  });

  it("has one title, sections with headings, and links that lead somewhere", () => {
    const ids = tags.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(tags.filter(({ name }) => name === "h1")).toHaveLength(1);
    const sections = tags.filter(({ name }) => name === "section");
    expect(tags.filter(({ name }) => name === "h2")).toHaveLength(sections.length);
    for (const { attributes } of sections) expect(ids).toContain(attributes["aria-labelledby"]);
    for (const { attributes } of tags.filter(({ name }) => name === "a"))
      expect(ids).toContain(attributes.href!.slice(1));
  });

  it("says in words what pictures show, and what tables hold", () => {
    for (const { attributes } of tags.filter(({ name }) => name === "svg")) {
      expect(attributes.role).toBe("img");
      expect(attributes["aria-label"]!.length).toBeGreaterThan(8);
    }
    for (const { attributes } of tags.filter(({ name }) => name === "img")) expect(attributes.alt).toBeTruthy();
    expect(html.match(/<table[^>]*><caption>/g)?.length).toBe(tags.filter(({ name }) => name === "table").length);
    for (const { attributes } of tags.filter(({ name }) => name === "th"))
      expect(attributes.scope).toMatch(/^(col|row)$/);
  });

  it("has times in elements of class clock alone", () => {
    const data = fixture();
    const times = [{ name: "search", seconds: 98765.4 }];
    const other = renderReport({ ...data, reproduction: { ...data.reproduction, times } });
    const none = renderReport({ ...data, reproduction: { ...data.reproduction, times: undefined } });
    const still = (text: string): string => text.replace(/(<[^>]*class="clock"[^>]*>)[^<]*/g, "$1");
    expect(other).toContain("98,765.4 s");
    expect(still(other) === still(html)).toBe(true);
    expect(still(none) === still(html)).toBe(true);
  });

  it("has an overview that is a picture of its own", () => {
    const svg = renderOverviewSvg(fixture());
    expectWellFormed(svg);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|<script|<image|<use/);
  });
});

describe("sections", () => {
  const ids = (data: ReportData): string[] =>
    tagsOf(renderReport(data)).flatMap(({ name, attributes }) => (name === "section" ? attributes.id! : []));

  it("are all there for an ASIC", () => {
    expect(ids(asicFixture())).toEqual(everySection);
  });

  it("leave out what a target has no model for, and what was not done", () => {
    expect(ids(fpgaFixture())).toEqual(everySection.filter((id) => id !== "energy"));
    expect(ids(networkOnlyFixture())).toEqual(everySection.filter((id) => !["comparison", "images"].includes(id)));
  });

  it("say what was asked and whether it was met", () => {
    const html = renderReport(fpgaFixture());
    expect(html).toContain("# CIFAR-10 on a ZC706");
    expect(html.match(/✓ met/g)).toHaveLength(2);
    expect(html.match(/✗ not met/g)).toHaveLength(1);
    expect(html).toContain("1 of 3 constraints not met.");
    expect(renderReport(asicFixture())).toContain("The constraint is met.");
  });

  it("give each layer's mapping as a loop nest, its limit and its energy", () => {
    const data = asicFixture();
    const html = renderReport(data);
    for (const [index, { name }] of data.found.layers.entries()) {
      expect(html).toContain(`<details id="layer-${index}">`);
      expect(html.replaceAll("<wbr>", "")).toContain(`<summary><b>${name}</b>`);
    }
    expect(html).toContain("globalBuffer keeps Inputs, Outputs");
    const limits = data.found.layers.flatMap(({ cost }) =>
      cost?.limitedBy.resource === "bandwidth" ? cost.limitedBy : [],
    );
    expect(limits.length).toBeGreaterThan(0);
    for (const { level, port } of limits)
      expect(html).toContain(`${level} ${port === "shared" ? "" : `${port} `}bandwidth`);
    expect(html).toContain("exact loop nest, version 1");
  });

  it("derive every count that is not 0, loop by loop", () => {
    const data = asicFixture();
    const html = renderReport(data);
    for (const { cost } of data.found.layers) {
      for (const { level, instances, dataSpaces } of cost!.levels) {
        for (const space of dataSpaces) {
          for (const kind of ["reads", "fills", "updates"] as const) {
            const words = space[kind];
            if (words === 0) continue;
            const figure = Number.isInteger(words) ? String(words) : words.toFixed(2);
            expect(html).toContain(
              `${level}.${space.dataSpace}.${kind} = ${figure} words per instance, ${instances} in use`,
            );
          }
        }
      }
    }
    expect(html.match(/How each count comes about/g)).toHaveLength(data.found.layers.length);
  });

  it("mark the sub-accelerator that sets the pace", () => {
    const data = fpgaFixture();
    const { accelerator } = data.found;
    if (accelerator.kind !== "fpga") throw new Error("the fixture has another target");
    const { chunks, bottleneckCycles } = accelerator.pipeline;
    const pace = chunks.find(({ cycles }) => cycles === bottleneckCycles)!;
    const html = renderReport(data);
    expect(html).toContain(`${pace.name}: ${pace.layerIndices.length} layers, sets the pace`);
    expect(html).toContain(`waits for ${pace.name}`);
    expect(html.match(/own cycles \(bottleneck\)/g)).toHaveLength(pace.layerIndices.length);
  });

  it("compare with baselines by ratio and paired difference", () => {
    const data = asicFixture();
    const html = renderReport(data).replaceAll("\u202f", " ");
    const [first] = data.baselines;
    const ratio = data.found.hardware.edpJouleSeconds! / first!.hardware.edpJouleSeconds!;
    expect(html).toContain(`ratio ${ratio.toFixed(2)} ×`);
    expect(html).toContain("−0.3  [−0.9, 0.4]");
  });

  it("show test images with what was predicted", () => {
    const html = renderReport(asicFixture());
    expect(html.match(/src="data:image\/bmp;base64,/g)).toHaveLength(16);
    expect(html).toContain('alt="Test image of class cat, predicted dog"');
    expect(html).toContain("13 of these 16 are right");
  });
});

describe("what comes from outside", () => {
  const payload = `"'><script>alert(1)</script><img src=x onerror=alert(2)>]]>&lt;</style></svg></pre>`;
  /** Texts that are no free text but choose among forms. */
  const forms = new Set(["objective", "kind", "phase", "resource", "port", "parallelism", "dimension"]);
  const named = new Set(["versions", "inputs", "parameters"]);

  function poison(value: unknown, key: string): unknown {
    if (typeof value === "string") return forms.has(key) ? value : `${value}${payload}`;
    if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map((item) => poison(item, ""));
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [named.has(key) ? `${name}${payload}` : name, poison(item, name)]),
    );
  }

  it.each(Object.entries(fixtures))("is never markup (%s)", (_, fixture) => {
    const clean = fixture();
    const data = poison(clean, "") as ReportData;
    const html = renderReport(data);
    expectWellFormed(html);
    expect(html).not.toContain("<script");
    expect(html).toContain("&lt;script&gt;");
    const elements = (text: string): Set<string> => new Set(tagsOf(text).map(({ name }) => name));
    expect(elements(html)).toEqual(elements(renderReport(clean)));
    for (const { attributes } of tagsOf(html)) {
      expect(Object.keys(attributes).filter((attribute) => /^on/i.test(attribute))).toEqual([]);
    }
    expectWellFormed(renderOverviewSvg(data));
  });
});

describe("figures that are none", () => {
  it("are left out or dashes", () => {
    const data = asicFixture();
    const { trace, found } = data;
    const broken: ReportData = {
      ...data,
      found: {
        ...found,
        accuracyFraction: Number.NaN,
        hardware: { ...found.hardware, edpJouleSeconds: Number.POSITIVE_INFINITY, latencyMs: Number.NaN },
      },
      constraints: [{ name: "unheardOf", limit: 0, actual: Number.NaN, met: false }],
      trace: {
        ...trace,
        points: trace.points.map((point, index) => ({
          ...point,
          trainingLoss: index % 2 === 0 ? Number.NaN : Number.POSITIVE_INFINITY,
          expectedLogCost: Number.NEGATIVE_INFINITY,
        })),
        acceleratorTrace: trace.acceleratorTrace.map((trial) => ({ ...trial, logCost: null, bestLogCost: null })),
      },
    };
    expectWellFormed(renderReport(broken));
    expectWellFormed(renderOverviewSvg(broken));
  });
});
