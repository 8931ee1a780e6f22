// Decomposes the filters in a file again and again: see bench/smartexchange.mjs.
import { readFileSync } from "node:fs";
import { decomposeLayer } from "@dovetail/compress";
import { serveSteps } from "../serve-steps.mjs";

const bytes = readFileSync(process.argv[2]);
const weights = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const shape = { outputChannels: weights.length / 4608, inputChannels: 512, kernelHeight: 3, kernelWidth: 3 };
await serveSteps({ mode: "ours" }, async () => ({ loss: decomposeLayer(weights, shape).relativeSquaredError }));
