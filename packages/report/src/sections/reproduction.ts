import type { ReportData } from "../data/report-data.js";
import { formatCount, formatFixed, formatShort } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { facts, type Section, table } from "./elements.js";

/** Command, seed, versions, inputs and effort; the clock's figures in the one element where they may stand. */
export function reproductionSection({ reproduction, effort }: ReportData): Section {
  const { command, seed, versions, inputs } = reproduction;
  const entries: [string, string][] = [
    ["Seed", String(seed)],
    [
      "Training",
      `${formatShort(effort.trainingMacs)} multiply-accumulates in ${formatCount(effort.optimizerSteps)} optimizer steps`,
    ],
    ["Designs tried", formatCount(effort.evaluations)],
    ...Object.entries(versions).map(([name, version]): [string, string] => [name, version]),
  ];
  const paths = Object.entries(inputs);
  const hashes =
    paths.length > 0 &&
    table({
      caption: "Inputs by their SHA-256",
      columns: [{ title: "Input" }, { title: "SHA-256" }],
      rows: paths.map(([path, hash]) => ({ cells: [path, markup`<code>${hash}</code>`] })),
    });
  const content = markup`<p>With these inputs, versions and seed the command gives the same bits again on the same kind of machine:</p>
<pre class="wrap"><code>${command}</code></pre>
${facts(entries)}${hashes}${clock(reproduction.times ?? [])}`;
  return { id: "reproduction", title: "How to reproduce it", content };
}

/** One element with nothing but text: without that text, two runs' reports are the same. */
function clock(times: readonly { readonly name: string; readonly seconds: number }[]): Markup {
  const longest = Math.max(0, ...times.map(({ name }) => name.length));
  const lines = times.map(({ name, seconds }) => `${name.padEnd(longest)}  ${formatFixed(seconds, 1).padStart(8)} s`);
  return markup`<h3>Time on this machine</h3>
<pre class="clock">${lines.length > 0 ? lines.join("\n") : "not measured"}</pre>
`;
}
