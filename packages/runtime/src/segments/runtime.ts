// The public face of execution: compile graphs, keep state, run.

import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { eliminateDeadCode, type Graph, type Node, type Tensor } from "@dovetail/graph";
import { type AdderKernels, adderKernels } from "../kernels/adder.js";
import { hasKernel } from "../kernels/operators.js";
import { type KernelThreads, startKernelThreads } from "../kernels/thread-pool.js";
import { lower } from "../lowering/lower.js";
import { serialize } from "../lowering/serialize.js";
import type { LoweringTarget } from "../lowering/target.js";
import { probeTarget } from "../providers/probe.js";
import { type ProviderName, providers } from "../providers/provider.js";
import { loadOnnxRuntime, type OnnxRuntime } from "../sessions/onnx-runtime.js";
import { openSession, type Session } from "../sessions/session.js";
import { requireConstants } from "./check.js";
import { createSegment, invertPairs, type Segment } from "./segment.js";
import { splitGraph } from "./split.js";
import { splitSession } from "./split-session.js";
import { createStateStore, type StateCells, type StateStore } from "./state.js";

export interface RuntimeOptions {
  /** `"cpu"` by default. */
  readonly provider?: ProviderName | undefined;
  /** Threads inside an operator; all cores by default. Results have the same bits with any number. */
  readonly threads?: number | undefined;
  /** `"plain"` keeps images in ONNX's own order even where the processor has blocked kernels; for comparisons. */
  readonly layout?: "fastest" | "plain" | undefined;
}

export interface CompileOptions {
  /** Graph inputs with a name of this store are fed from it. */
  readonly state?: StateStore | undefined;
  /** Output that replaces a tensor of the state after each run, by the tensor's name. */
  readonly statePairs?: Readonly<Record<string, string>> | undefined;
}

/** Executes graphs on one provider. */
export interface Runtime {
  readonly provider: ProviderName;
  readonly threads: number;
  /** What graphs are lowered to here. */
  readonly target: LoweringTarget;
  /**
   * Lowers and compiles a graph. A graph with the same content is compiled once, however often it is given. On the CPU a
   * graph with add layers is cut around them: ONNX Runtime and kernels of our own run in turn, as one segment.
   * Throws an input error when a constant has no data or a state pair names nothing.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Segment>;
  /** A store that holds copies of these tensors. */
  createState(tensors: ReadonlyMap<string, Tensor>): StateStore;
  /** Gives all compiled graphs back. */
  release(): Promise<void>;
}

/** Throws an environment error when the provider is not available on this machine: it says what is needed. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const provider = options.provider ?? "cpu";
  const threads = options.threads ?? availableParallelism();
  const ort = await loadOnnxRuntime();
  const probed = await probeTarget(ort, provider);
  const target: LoweringTarget = options.layout === "plain" ? { provider } : probed;
  const cache = createSessionCache(ort, provider, threads);
  const kernels = createKernelPool(threads);
  const stores = new WeakMap<StateStore, StateCells>();

  return {
    provider,
    threads,
    target,
    compile: async (graph, { state, statePairs = {} } = {}) => {
      requireConstants(graph);
      const cells = state === undefined ? undefined : stores.get(state);
      const stateOfOutput = invertPairs(graph, cells, statePairs);
      const live = eliminateDeadCode({ ...graph, customGradients: [] });
      const isKernel = (node: Node): boolean => provider === "cpu" && hasKernel(live, node);
      const steps = live.nodes.some(isKernel) ? splitGraph(live, isKernel) : [{ graph }];
      const opened: OpenSession[] = [];
      for (const part of steps.flatMap((step) => step.graph ?? [])) {
        opened.push(await cache.open(serialize(lower(part, target)), part.name));
      }
      const sessions = opened.map(({ session }) => session);
      const session =
        steps.length === 1 && steps[0]!.graph
          ? sessions[0]!
          : splitSession(live, steps, sessions, await kernels.open());
      const release = async (): Promise<void> => {
        for (const part of opened) await part.release();
      };
      return createSegment({ graph, session, state: cells, stateOfOutput, release });
    },
    createState: (tensors) => {
      const cells = createStateStore(tensors);
      stores.set(cells, cells);
      return cells;
    },
    release: async () => {
      await cache.release();
      await kernels.release();
    },
  };
}

/** Threads for kernels of our own, started when the first graph needs them. */
function createKernelPool(threads: number): { open(): Promise<AdderKernels>; release(): Promise<void> } {
  let started: Promise<KernelThreads> | undefined;
  return {
    open: async () => {
      started ??= startKernelThreads(threads);
      return adderKernels(await started);
    },
    release: async () => {
      const threadsToEnd = started;
      started = undefined;
      await (await threadsToEnd)?.release();
    },
  };
}

interface OpenSession {
  readonly session: Session;
  readonly release: () => Promise<void>;
}

interface SessionCache {
  open(model: Uint8Array, graphName: string): Promise<OpenSession>;
  release(): Promise<void>;
}

/** Sessions by content, closed when their last user gives them back. */
function createSessionCache(ort: OnnxRuntime, provider: ProviderName, threads: number): SessionCache {
  const open = new Map<string, { session: Promise<Session>; users: number }>();

  const giveBack = async (key: string): Promise<void> => {
    const entry = open.get(key);
    if (!entry) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    open.delete(key);
    await (await entry.session).release();
  };
  return {
    open: async (model, graphName) => {
      const key = createHash("sha256").update(model).digest("hex");
      let entry = open.get(key);
      if (!entry) {
        const { executionProviders } = providers[provider];
        entry = { session: openSession(ort, model, { executionProviders, threads, graphName }), users: 0 };
        entry.session.catch(() => open.delete(key));
        open.set(key, entry);
      }
      entry.users += 1;
      const session = await entry.session;
      let given = false;
      return {
        session,
        release: async () => {
          if (!given) {
            given = true;
            await giveBack(key);
          }
        },
      };
    },
    release: async () => {
      const entries = [...open.values()];
      open.clear();
      for (const { session } of entries) await (await session).release();
    },
  };
}
