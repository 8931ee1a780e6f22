import { expect, it } from "vitest";
import { mappingFileNames } from "./hardware-files.js";

it("names mapping files after layers, each another, none outside of its folder", () => {
  expect(mappingFileNames(["stem/conv/Conv", "stem/Conv", "STEM/conv", "a b", "a*b"])).toEqual([
    "stem.conv.Conv.yaml",
    "stem.Conv.yaml",
    "STEM.conv-2.yaml",
    "a_b.yaml",
    "a_b-2.yaml",
  ]);
  expect(mappingFileNames(["../../etc/passwd", "/", "", "x".repeat(300)])).toEqual([
    "etc.passwd.yaml",
    "layer.yaml",
    "layer-2.yaml",
    `${"x".repeat(150)}.yaml`,
  ]);
});
