// One side of a paired benchmark: reads a command a line, answers with a line of JSON each.
import { createInterface } from "node:readline";

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/**
 * Says that it is ready, then answers `step` with the time and processor time of a call of `step` and what that gives
 * besides, and `memory` with the peak, until its input ends. `passes`: how many steps a call makes; times are of one.
 */
export async function serveSteps(ready, step, passes = 1) {
  const commands = {
    step: async () => {
      const cpu = process.cpuUsage();
      const start = performance.now();
      const result = await step();
      const seconds = (performance.now() - start) / 1e3 / passes;
      const { user, system } = process.cpuUsage(cpu);
      return { seconds, cpuSeconds: (user + system) / 1e6 / passes, ...result };
    },
    memory: async () => ({ peakMemoryBytes: process.resourceUsage().maxRSS * 1024 }),
  };
  answer({ ready: true, ...ready });
  for await (const line of createInterface({ input: process.stdin })) answer(await commands[line]());
}
