import type { DovetailError } from "@dovetail/core";
import type { Attribute, Node, Tensor, TensorType } from "../../ir/graph.js";

/** What an upgrade rule sees. */
export interface UpgradeContext {
  readonly node: Node;
  /** Version of ONNX's operator set that the node was written for. */
  readonly opset: number;
  typeOf(name: string): TensorType | undefined;
  constantOf(name: string): Tensor | undefined;
  /** True when some node or output reads the value. */
  isUsed(name: string): boolean;
  /** Adds a constant and returns its name. */
  constant(stem: string, constant: Tensor): string;
  /** A new value name. */
  fresh(stem: string): string;
  /** An error that names the node. */
  fail(message: string): DovetailError;
}

/** The nodes that say in the current operator set what the node says in an older one. */
export type UpgradeRule = (context: UpgradeContext) => readonly Node[];

type ValueOf<K extends Attribute["kind"]> = { [A in Attribute as A["kind"]]: A["value"] }[K];

/** An attribute's value as given, of the kind that the operator declares. Throws for a reference inside a function. */
export function attribute<K extends Attribute["kind"]>(
  context: UpgradeContext,
  name: string,
  kind: K,
): ValueOf<K> | undefined {
  const found = context.node.attributes[name];
  if (!found) return undefined;
  if (found.kind === kind) return found.value as ValueOf<K>;
  if (found.kind === "reference") {
    throw context.fail(
      `attribute "${name}" is given by the function's caller, and became an input in newer operator sets`,
    );
  }
  throw context.fail(`attribute "${name}" is of kind ${found.kind}, not ${kind}`);
}

/** The node without some attributes, with other inputs. */
export function changed(
  node: Node,
  change: {
    readonly inputs?: readonly string[];
    readonly without?: readonly string[];
    readonly attributes?: Readonly<Record<string, Attribute>>;
  },
): Node {
  const kept = Object.entries(node.attributes).filter(([name]) => !change.without?.includes(name));
  return {
    ...node,
    inputs: change.inputs ?? node.inputs,
    attributes: { ...Object.fromEntries(kept), ...change.attributes },
  };
}
