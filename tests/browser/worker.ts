import { type MappingJob, mapResNet18 } from "./jobs.js";

self.addEventListener("message", ({ data }: MessageEvent<MappingJob>) => {
  const layers = mapResNet18(data, (progress) => self.postMessage({ progress }));
  self.postMessage({ layers });
});
