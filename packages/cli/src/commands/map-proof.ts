import type { AnyMapResult } from "@dovetail/hardware";

/** What the exact mapper can say of a layer. */
export interface LayerProof {
  readonly layer: string;
  readonly proven: boolean;
  /** By which part the mapping may be worse than the optimum. */
  readonly gap: number;
  readonly nodes: number;
}

/** Empty unless the exact mapper found the mapping. */
export function proofOf(layer: string, found: Extract<AnyMapResult, { ok: true }>): LayerProof[] {
  const { proven, lowerBound, nodes, trace } = found;
  if (proven === undefined) return [];
  return [{ layer, proven, gap: trace.at(-1)!.value / lowerBound! - 1, nodes: nodes! }];
}

export function describeProofs(proofs: readonly LayerProof[]): string[] {
  if (proofs.length === 0) return [];
  const proven = proofs.filter((proof) => proof.proven).length;
  const worst = [...proofs].sort((a, b) => b.gap - a.gap)[0]!;
  const open = proven < proofs.length ? `; ${worst.layer} may be ${(100 * worst.gap).toFixed(2)} % from it` : "";
  return [`proven optimal: ${proven} of ${proofs.length} layers${open}`];
}
