// Names of layers are those of graph nodes: scopes joined by slashes or dots, last the operator's type, such as
// `stage2.0.basic_k3/first/conv/Conv`.

/** The name without the operator's type, for people: `stage2.0.basic_k3/first/conv`. */
export function layerLabel(name: string): string {
  return name.replace(/[./][A-Z][A-Za-z0-9]*$/, "");
}

/** The scope that the layer stands in with its neighbours; its label where there is none. */
export function layerScope(name: string): string {
  const label = layerLabel(name);
  const end = Math.max(label.lastIndexOf("."), label.lastIndexOf("/"));
  return end <= 0 ? label : label.slice(0, end);
}

/** Scopes and last name: `stage2`, `0`, `basic_k3`, `first`, `conv`. */
export function layerParts(name: string): string[] {
  return layerLabel(name).split(/[./]/);
}

/** Whether the layer stands inside a scope such as a position of the search space. */
export function isInside(name: string, scope: string): boolean {
  return name.startsWith(scope) && /^[./]/.test(name.slice(scope.length));
}
