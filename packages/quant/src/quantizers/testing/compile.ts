import { elementCount, GraphBuilder, tensor, tensorNumbers, type Value, withGradients } from "@dovetail/graph";
import type { Runtime } from "@dovetail/runtime";

/** The example of the specification's golden values. */
export const exampleValues = [-1.3, -0.4, 0, 0.26, 0.9, 2.1];

export interface CompiledFunction {
  /** Runs it on plain numbers: the result, and the gradients of the result's sum weighted by `upstream` (1 by default). */
  run(feeds: Readonly<Record<string, number | readonly number[]>>): Promise<{
    readonly y: readonly number[];
    readonly gradients: Readonly<Record<string, readonly number[]>>;
  }>;
}

/** Compiles a function of float32 inputs of these shapes, once for all values; an input `upstream` is added. */
export async function compileFunction(
  runtime: Runtime,
  shapes: Readonly<Record<string, readonly number[]>>,
  build: (g: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value,
  withRespectTo: readonly string[] = ["x"],
): Promise<CompiledFunction> {
  const g = new GraphBuilder("function");
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, g.input(name, "float32", shape)]),
  );
  const y = g.identity(build(g, inputs));
  const upstream = g.input("upstream", "float32", y.type.shape!);
  g.output(y, "y");
  g.output(g.mul(y, upstream), "loss");
  const segment = await runtime.compile(withGradients(g.build(), { loss: "loss", withRespectTo }));
  const resultShape = y.type.shape as readonly number[];
  return {
    async run(feeds) {
      const named = { upstream: Array(elementCount(resultShape)).fill(1), ...feeds };
      const tensors = Object.entries(named).map(([name, values]) => {
        const shape = name === "upstream" ? resultShape : shapes[name]!;
        return [name, tensor("float32", shape, typeof values === "number" ? [values] : values)] as const;
      });
      const outputs = await segment.run(Object.fromEntries(tensors));
      const gradients = withRespectTo.map((name) => [name, tensorNumbers(outputs[`gradient/${name}`]!)] as const);
      return { y: tensorNumbers(outputs.y!), gradients: Object.fromEntries(gradients) };
    },
  };
}
