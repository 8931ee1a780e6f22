// Colours and type, shared by the page and by pictures that stand alone. Series c0 to c7 are told apart by people with
// colour-blindness too (after Okabe and Ito 2008, darkened for text on white); no meaning rests on colour alone.

const light = {
  page: "#f3f4f6",
  paper: "#ffffff",
  ink: "#18212c",
  muted: "#566274",
  line: "#cdd4dd",
  grid: "#e6e9ee",
  accent: "#0a62b8",
  wash: "#e8f1fb",
  baseline: "#8793a3",
  good: "#15713d",
  bad: "#b3261e",
  c0: "#0a66c2",
  c1: "#e08a00",
  c2: "#0f8f6f",
  c3: "#c2477f",
  c4: "#7558cf",
  c5: "#c8452a",
  c6: "#4aa9da",
  c7: "#8a7a2e",
};

const dark: typeof light = {
  page: "#10151b",
  paper: "#181f28",
  ink: "#e7ecf2",
  muted: "#9eabbb",
  line: "#3a4655",
  grid: "#29323d",
  accent: "#6db3f8",
  wash: "#1c3148",
  baseline: "#7f8c9d",
  good: "#5ccb8b",
  bad: "#ff8f85",
  c0: "#5aa7f2",
  c1: "#f0ad48",
  c2: "#41c29d",
  c3: "#e888b3",
  c4: "#aa94ef",
  c5: "#ef7d60",
  c6: "#93d1f1",
  c7: "#c9b95e",
};

/** Classes of series; the eighth is followed by the first again. */
export function seriesClass(index: number): string {
  return `c${index % 8}`;
}

const variables = (colours: typeof light): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(";");

/** Custom properties; dark on screens that ask for it, never on paper. */
export const themeStyle = `:root{color-scheme:light dark;${variables(light)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(dark)}}}
@media print{:root{color-scheme:light}}
${Array.from({ length: 8 }, (_, index) => `.c${index}{--series:var(--c${index})}`).join("")}
.found{--series:var(--accent)}.baseline{--series:var(--baseline)}`;

/** What pictures consist of. */
export const pictureStyle = `.picture{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow:visible}
.picture text{fill:var(--ink)}
.picture text.quiet{fill:var(--muted)}
.picture text.small{font-size:10px}
.picture text.strong{font-weight:600}
.picture text.accent{fill:var(--accent)}
.picture text.inverse{fill:var(--paper);font-weight:700}
.picture .grid{stroke:var(--grid);fill:none}
.picture .axis{stroke:var(--line);fill:none}
.picture .curve{stroke:var(--series);fill:none;stroke-width:1.6;stroke-linejoin:round}
.picture .dashed{stroke-dasharray:4 3}
.picture .fill{fill:var(--series)}
.picture .faint{fill:var(--series);opacity:.45}
.picture .whisker{stroke:var(--series);stroke-width:1.6;fill:none}
.picture .cell{fill:var(--accent)}
.picture .track{fill:var(--grid)}
.picture .chosen{fill:none;stroke:var(--ink);stroke-width:1.6}
.picture .box{fill:var(--paper);stroke:var(--line)}
.picture .washed{fill:var(--wash);stroke:var(--accent)}
.picture .gap{stroke:var(--paper);stroke-width:1}
.picture .link{stroke:var(--muted);fill:none}
.picture .arrow{fill:var(--muted)}`;

/** The page around them. */
export const pageStyle = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1160px;margin:0 auto;padding:0 16px}
header{padding-top:28px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:1.3rem;line-height:1.25;margin:0 0 12px}
h3{font-size:1.02rem;margin:24px 0 8px}
p{margin:0 0 12px;max-width:75ch}
a{color:var(--accent)}
.kicker{color:var(--muted);font-size:.85rem;letter-spacing:.04em;text-transform:uppercase;margin:0 0 4px}
.lead{font-size:1.08rem}
.quiet{color:var(--muted)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:16px 0;font-size:.92rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:20px;margin:0 0 18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:10px;margin:18px 0 0;padding:0}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:12px 14px;margin:0}
.tile dt{color:var(--muted);font-size:.85rem}
.tile dd{margin:0}
.tile .value{font-size:1.5rem;font-weight:650;line-height:1.25;white-space:nowrap}
.tile .note{font-size:.85rem;color:var(--muted)}
.good,.bad{white-space:nowrap}
.good{color:var(--good);font-weight:600}
.bad{color:var(--bad);font-weight:600}
figure{margin:0;break-inside:avoid}
figcaption{font-size:.92rem;margin:0 0 6px}
figcaption b{font-weight:600}
.picture{display:block;width:100%;height:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:26px 30px;margin:0 0 20px}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:14px 16px;margin:0 0 20px}
.multiples figcaption{font-size:.82rem;line-height:1.3;margin:0 0 2px;overflow-wrap:anywhere}
.beside{display:grid;grid-template-columns:minmax(0,1fr);gap:20px 36px}
@media (min-width:900px){.beside{grid-template-columns:minmax(0,2fr) minmax(0,1fr)}}
.drawings{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:26px 40px;align-items:start}
.drawings .picture{max-width:450px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;padding:0;margin:0 0 10px;font-size:.85rem}
.legend li::before{content:"";display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px;background:var(--series);vertical-align:-1px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.scroll{overflow-x:auto;margin:0 0 16px}
.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;width:100%}
caption{text-align:left;color:var(--muted);font-size:.92rem;padding:0 0 8px}
caption span{display:block;max-width:calc(100vw - 48px)}
th,td{padding:5px 8px;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top}
thead th{border-bottom:1px solid var(--line);color:var(--muted);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500;min-width:110px}
.layer-table tbody th{min-width:190px}
tr.found-row th,tr.found-row td{background:var(--wash);font-weight:600}
.number{text-align:right}
td.number{white-space:nowrap}
.nowrap{white-space:nowrap}
td .picture{width:100px;min-width:100px;margin:4px 0}
pre{overflow-x:auto;background:var(--page);border:1px solid var(--grid);border-radius:8px;padding:12px 14px;margin:0 0 14px;font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre.long{max-height:430px;overflow:auto}
pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
details{border-bottom:1px solid var(--grid)}
summary{cursor:pointer;padding:7px 0}
details>pre,details>.scroll{margin-left:18px}
.beside>figure .picture{max-width:420px}
.images{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:16px 12px}
.images img{width:96px;height:96px;object-fit:contain;image-rendering:pixelated;border-radius:6px;display:block}
.images figcaption{font-size:.82rem;line-height:1.35;margin-top:4px;overflow-wrap:anywhere}
dl.facts{display:grid;grid-template-columns:minmax(110px,max-content) 1fr;gap:4px 18px;margin:0 0 16px}
dl.facts dt{color:var(--muted)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:8px 36px;align-items:start}
.columns>*{min-width:0}
.columns>*>h3:first-child{margin-top:0}
footer{color:var(--muted);font-size:.88rem;padding-bottom:40px}
@media (max-width:520px){th,td{padding:5px 6px}.layer-table tbody th{min-width:130px}section{padding:16px 12px}main,header,footer{padding-left:10px;padding-right:10px}h1{font-size:1.45rem}}
@media print{body{background:none;font-size:10.5pt}nav{display:none}section{border:0;padding:0;margin:0 0 22px}.tile{break-inside:avoid}.scroll{overflow:visible}pre,pre.long{white-space:pre-wrap;max-height:none}h2,h3{break-after:avoid}tr,details{break-inside:avoid}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;
