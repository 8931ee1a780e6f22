import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

// The tutorial's commands, one after the other, and what the page says that they print.

useTemporaryFolder();

const page = readFileSync(
  fileURLToPath(new URL("../../../../docs/tutorials/onnx-to-mapping.md", import.meta.url)),
  "utf8",
);
const blocks = [...page.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));
const ported = "sharedBitsPerCycle: 64, areaUm2";

it("docs/tutorials/onnx-to-mapping.md: ten commands that print what the page shows", async () => {
  const [architecture = ""] = blocks.filter(({ language }) => language === "yaml").map(({ text }) => text);
  expect(architecture).toContain(ported);
  writeFileSync("mine.yaml", architecture);
  writeFileSync("wider.yaml", architecture.replace(ported, "sharedBitsPerCycle: 128, areaUm2"));
  let commands = 0;
  let printed = "";
  for (const { language, text } of blocks) {
    if (language === "sh") {
      commands++;
      const { exitCode, stdout } = await runCommand(text.trim().split(" ").slice(1));
      expect({ text, exitCode }).toEqual({ text, exitCode: 0 });
      printed = stdout;
    } else if (language === "") expect(printed).toContain(text);
  }
  expect(commands).toBe(10);
}, 300_000);
