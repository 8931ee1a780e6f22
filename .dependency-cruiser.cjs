// The import arrows of the architecture: downwards only, through index.ts only, no cycles.
// What a package may import it may import with everything that that package may import.
const arrows = {
  core: [],
  graph: ["core"],
  models: ["graph"],
  hardware: ["graph"],
  nasbench: ["hardware", "models"],
  rtl: ["hardware"],
  runtime: ["graph"],
  train: ["runtime", "models"],
  quant: ["train"],
  compress: ["train"],
  attack: ["train"],
  search: ["train", "nasbench"],
  systems: ["search", "quant", "compress", "rtl", "attack"],
  report: ["hardware"],
  cli: ["systems", "report"],
};

/** Packages whose source runs in a browser: no node: import. */
const browserPackages = ["core", "graph", "models", "hardware", "nasbench", "report", "rtl"];

function reachable(name, seen = new Set()) {
  for (const next of arrows[name]) {
    if (!seen.has(next)) {
      seen.add(next);
      reachable(next, seen);
    }
  }
  return [...seen];
}

const tests = "\\.(test|test-d)\\.ts$";

const downwards = Object.keys(arrows).map((name) => ({
  name: `${name}-imports-downwards`,
  severity: "error",
  from: { path: `^packages/${name}/src`, pathNot: tests },
  to: { path: "^packages/([^/]+)/", pathNot: `^packages/(${[name, ...reachable(name)].join("|")})/` },
}));

const throughIndex = Object.keys(arrows).map((name) => ({
  name: `${name}-through-index`,
  comment: "other packages are imported by name only, through their index",
  severity: "error",
  from: { path: `^packages/${name}/src` },
  to: { path: "^packages/([^/]+)/src/(?!index\\.ts)", pathNot: `^packages/${name}/` },
}));

const systemsApart = {
  name: "systems-apart",
  comment:
    "a system's folder imports shared packages, never another system's folder; all may know what a reproduction and a bundle are and how structured weights are rebuilt, and the room delivery puts systems together",
  severity: "error",
  from: { path: "^packages/systems/src/(?!delivery/)([^/]+)/" },
  to: {
    path: "^packages/systems/src/([^/]+)/",
    pathNot: ["^packages/systems/src/$1/", "^packages/systems/src/(reproduction|bundle|structured|testing)/"],
  },
};

const hardwareRooms = [
  {
    name: "documents-apart",
    comment: "workload, architecture and mapping know nothing of each other",
    severity: "error",
    from: { path: "^packages/hardware/src/(workload|architecture|mapping)/", pathNot: tests },
    to: {
      path: "^packages/hardware/src/(workload|architecture|mapping|analysis|cost|mapspace|mapper|fpga|formats)/",
      pathNot: "^packages/hardware/src/$1/",
    },
  },
  {
    name: "analysis-below-cost",
    severity: "error",
    from: { path: "^packages/hardware/src/analysis/", pathNot: tests },
    to: { path: "^packages/hardware/src/(cost|mapspace|mapper|formats)/" },
  },
];

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    ...downwards,
    ...throughIndex,
    systemsApart,
    ...hardwareRooms,
    {
      name: "browser-packages-without-node",
      severity: "error",
      from: { path: `^packages/(${browserPackages.join("|")})/src`, pathNot: [tests, "/testing/"] },
      to: { dependencyTypes: ["core"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.tests.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["source", "import", "node", "default"] },
  },
};
