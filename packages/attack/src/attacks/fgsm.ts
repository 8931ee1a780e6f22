import type { AttackLoss } from "../losses/loss.js";
import type { Attack } from "./attack.js";
import { pgd } from "./pgd.js";

/** One step of size epsilon along the gradient's sign from the original (Goodfellow et al. 2015). */
export function fgsm(options: { readonly loss?: AttackLoss | undefined } = {}): Attack {
  return pgd({ ...options, name: "fgsm", steps: 1, randomStart: false, stepSize: (epsilon) => epsilon });
}

/** One step from a random start (Wong et al. 2020): of 1.25 · epsilon, 10/255 at 8/255. */
export function fgsmRs(options: { readonly loss?: AttackLoss | undefined } = {}): Attack {
  return pgd({ ...options, name: "fgsm-rs", steps: 1, stepSize: (epsilon) => 1.25 * epsilon });
}
