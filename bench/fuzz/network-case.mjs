// A mutated network through `map`, or through `cost` with the mappings of the network that it was.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mutateBytes } from "./mutations.mjs";

export function networkCase({ networks, architecture, architectureText }, random, folder) {
  const { bytes, where, mappings } = networks[random.integer(networks.length)];
  const network = join(folder, "network.onnx");
  writeFileSync(network, mutateBytes(bytes, random, where));
  const model = ["timeloop", "exact"][random.integer(2)];
  const common = ["--network", network, "--arch", architecture, "--model", model, "--json", "--quiet"];
  const argv =
    random.integer(2) === 0
      ? ["map", ...common, "--evaluations", "10", "--seed", String(random.integer(100))]
      : ["cost", ...common, "--mappings", mappings];
  return { kind: "network", argv, network, architecture: architectureText, model };
}
