import { inputError } from "@dovetail/core";
import { GraphBuilder, printShape, type Value } from "@dovetail/graph";
import type { Initialization, Network, ParameterRole, ParameterSpec } from "./network.js";

/** How a parameter is declared; what is left out follows from the role. */
export interface ParameterOptions {
  readonly role: ParameterRole;
  readonly initialization: Initialization;
  /** True unless the role is a running statistic. */
  readonly trainable?: boolean | undefined;
  /** As `trainable` unless said: PyTorch's optimizers decay biases and batch-norm parameters too. */
  readonly decay?: boolean | undefined;
  readonly row?: string | undefined;
  readonly bounds?: readonly [number, number] | undefined;
}

const statistics: ReadonlySet<ParameterRole> = new Set([
  "runningMean",
  "runningVariance",
  "runningScale",
  "activationRange",
]);

/** The specification of a parameter, with defaults by role. */
export function parameterSpec(name: string, shape: readonly number[], options: ParameterOptions): ParameterSpec {
  const trainable = options.trainable ?? !statistics.has(options.role);
  return {
    name,
    shape: [...shape],
    role: options.role,
    initialization: options.initialization,
    trainable,
    decay: options.decay ?? trainable,
    ...(options.row === undefined ? {} : { row: options.row }),
    ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
  };
}

/**
 * Builds a network layer by layer. Layers are functions that take the builder, a name and a value:
 *
 * ```ts
 * const n = new NetworkBuilder("tiny");
 * let x = pixels(n);
 * x = convBatchNormRelu(n, "stem", x, { channels: 16, kernel: 3 });
 * const network = n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 10 }));
 * ```
 */
export class NetworkBuilder {
  readonly name: string;
  readonly g: GraphBuilder;
  private image: Value | undefined;
  private readonly declared: ParameterSpec[] = [];
  private readonly path: string[] = [];

  /** With a graph that is being built already, layers are added to it: what a rewrite puts in a node's place. */
  constructor(name: string, g: GraphBuilder = new GraphBuilder(name)) {
    this.name = name;
    this.g = g;
  }

  /** Declares the image input, float32 [batch, channels, height, width]. */
  imageInput(channels: number, height: number, width: number): Value {
    this.image = this.g.input("image", "float32", ["batch", channels, height, width]);
    return this.image;
  }

  /** Everything added inside has names that begin with `name.` (parameters) or `name/` (nodes). */
  scope<T>(name: string, body: () => T): T {
    this.path.push(name);
    try {
      return this.g.scope(name, body);
    } finally {
      this.path.pop();
    }
  }

  /** Declares a parameter, float32, as an input of the graph. */
  parameter(name: string, shape: readonly number[], options: ParameterOptions): Value {
    const spec = parameterSpec([...this.path, name].join("."), shape, options);
    this.declared.push(spec);
    return this.g.input(spec.name, "float32", spec.shape);
  }

  /** The parameters declared so far. */
  get parameters(): readonly ParameterSpec[] {
    return [...this.declared];
  }

  /** The finished network; `logits` is [batch, classes]. Throws when it is not, or when there is no image input. */
  build(logits: Value): Network {
    const classCount = logits.type.shape?.[1];
    if (!this.image || typeof classCount !== "number" || logits.type.shape?.length !== 2) {
      throw inputError("network_form", `network "${this.name}" is not an image classifier`, {
        expected: "an image input and logits of shape [batch,classes]",
        received: this.image ? printShape(logits.type.shape) : "no image input",
      });
    }
    this.g.output(logits, "logits");
    return {
      name: this.name,
      graph: this.g.build(),
      image: this.image.name,
      imageRange: [0, 255],
      logits: "logits",
      classCount,
      parameters: this.parameters,
      scalars: [],
      observedRanges: [],
      noises: [],
    };
  }
}

/** A size of a value that must be known to build a layer on it. Throws when it is symbolic. */
export function sizeOf(x: Value, axis: number): number {
  const size = x.type.shape?.[axis];
  if (typeof size !== "number") {
    throw inputError("unknown_size", `axis ${axis} of "${x.name}" must be known to build a layer on it`, {
      received: printShape(x.type.shape),
    });
  }
  return size;
}
