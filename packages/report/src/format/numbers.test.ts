import { expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatFixed,
  formatInterval,
  formatPercent,
  formatPoints,
  formatRatio,
  formatShort,
  formatSi,
  formatSignificant,
} from "./numbers.js";

/** Narrow no-break spaces as plain ones, for reading. */
const plain = (text: string): string => text.replaceAll("\u202f", " ");

it.each([
  [formatPercent(0.8412), "84.1 %"],
  [formatPercent(undefined), "–"],
  [formatPoints(0.0046), "+0.5"],
  [formatPoints(-0.0046), "−0.5"],
  [formatPoints(0.0001), "0.0"],
  [formatPoints(-0.0001), "0.0"],
  [formatFixed(-1234567.25, 1), "−1,234,567.3"],
  [formatFixed(0.0004, 2), "0.00"],
  [formatCount(1234567), "1,234,567"],
  [formatCount(0.5), "0.5"],
  [formatSignificant(1234.5), "1,235"],
  [formatSignificant(0.012345), "0.0123"],
  [formatSignificant(9.999), "10.0"],
  [formatSignificant(1.2e-9), "1.20e−9"],
  [formatSi(1.18e-7, "J·s"), "118 nJ·s"],
  [formatSi(999.9e-9, "J"), "1.00 µJ"],
  [formatSi(0, "J"), "0 J"],
  [formatSi(2e8, "Hz"), "200 MHz"],
  [formatSi(Number.NaN, "J"), "–"],
  [formatSi(Number.POSITIVE_INFINITY, "J"), "–"],
  [formatShort(640), "640"],
  [formatShort(12_500_000), "12.5 M"],
  [formatBytes(131072), "128 KB"],
  [formatBytes(1536), "1.50 KB"],
  [formatBytes(500), "500 B"],
  [formatBytes(1023 * 1024), "1,023 KB"],
  [formatRatio(0.583), "0.58 ×"],
  [formatRatio(1.4), "1.40 ×"],
  [formatRatio(undefined), "–"],
  [formatInterval([0.834, 0.848]), "[83.4, 84.8]"],
])("writes %s", (text, expected) => {
  expect(plain(text)).toBe(expected);
});
