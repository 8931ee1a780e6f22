import type { Value } from "@dovetail/graph";
import { type Network, NetworkBuilder } from "@dovetail/models";
import { buildHead, buildStem, type SearchSpace } from "./space.js";

/** A piece of a network as a network of its own, from an image-like input [channels, height, width] to one value. */
export function blockNetwork(
  build: (n: NetworkBuilder, x: Value) => Value,
  name: string,
  inputShape: readonly number[],
): Network {
  const n = new NetworkBuilder(name);
  const x = n.imageInput(inputShape[0]!, inputShape[1]!, inputShape[2]!);
  const y = build(n, x);
  n.g.output(y, "y");
  return {
    name,
    graph: n.g.build(),
    image: x.name,
    imageRange: [0, 255],
    logits: "y",
    classCount: 0,
    parameters: n.parameters,
    scalars: [],
    observedRanges: [],
    noises: [],
  };
}

/** The pieces that the networks of a space are made of. */
export interface SpacePieces<Piece> {
  readonly stem: Piece;
  /** [position][operator]. */
  readonly positions: readonly (readonly Piece[])[];
  readonly head: Piece;
}

/** Makes something of every piece of a space; each is given its name, its builder and the shape of its input. */
export function mapPieces<Piece>(
  space: SearchSpace,
  make: (
    kind: "stem" | "operator" | "head",
    name: string,
    build: (n: NetworkBuilder, x: Value) => Value,
    inputShape: readonly number[],
  ) => { readonly piece: Piece; readonly outputShape: readonly number[] },
): SpacePieces<Piece> {
  const { mean, height = 32, width = 32 } = space.pixels;
  const stem = make("stem", "stem", (n, x) => buildStem(n, space, x), [mean?.length ?? 3, height, width]);
  let inputShape = stem.outputShape;
  const positions = space.positions.map((position) => {
    const made = space.operators.map((operator) => {
      const name = `${position.name}.${operator.name}`;
      return make("operator", name, (n, x) => operator.build(n, name, x, position), inputShape);
    });
    inputShape = made[0]!.outputShape;
    return made.map(({ piece }) => piece);
  });
  const head = make("head", "head", (n, x) => buildHead(n, space, x), inputShape);
  return { stem: stem.piece, positions, head: head.piece };
}

/** Every piece of a space as a network of its own: what the hardware side reads before anything is trained. */
export function pieceNetworks(space: SearchSpace): SpacePieces<Network> {
  return mapPieces(space, (_, name, build, inputShape) => {
    const piece = blockNetwork(build, name, inputShape);
    return { piece, outputShape: piece.graph.types.get(piece.logits)!.shape!.slice(1) as number[] };
  });
}
