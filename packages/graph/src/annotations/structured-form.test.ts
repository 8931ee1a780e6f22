import fc from "fast-check";
import { expect, it } from "vitest";
import { structuredFormOf } from "./structured-form.js";

it.each([
  [{ inputChannels: 512, kernelHeight: 1, kernelWidth: 1 }, [3, 171, 171, 1]],
  [{ inputChannels: 1024, kernelHeight: 1, kernelWidth: 1 }, [3, 342, 171, 2]],
  [{ inputChannels: 4096, kernelHeight: 1, kernelWidth: 1 }, [3, 1366, 171, 8]],
  [{ inputChannels: 512, kernelHeight: 3, kernelWidth: 3 }, [3, 1536, 192, 8]],
  [{ inputChannels: 1, kernelHeight: 3, kernelWidth: 3 }, [3, 3, 3, 1]],
  // 331 is prime: whole. A column of 5×1 is folded as a row of channels is.
  [{ inputChannels: 331, kernelHeight: 1, kernelWidth: 5 }, [5, 331, 331, 1]],
  [{ inputChannels: 8, kernelHeight: 5, kernelWidth: 1 }, [3, 14, 14, 1]],
])("%o", (shape, expected) => {
  const form = structuredFormOf({ outputChannels: 1, ...shape });
  expect([form.columns, form.rowsPerFilter, form.rowsPerPiece, form.piecesPerFilter]).toEqual(expected);
});

it("holds every weight, in pieces none of which is empty", () => {
  const size = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(size(3000), size(7), size(7), (inputChannels, kernelHeight, kernelWidth) => {
      const form = structuredFormOf({ outputChannels: 1, inputChannels, kernelHeight, kernelWidth });
      const { columns, filterWeights, rowsPerFilter, rowsPerPiece, piecesPerFilter } = form;
      expect(filterWeights).toBe(inputChannels * kernelHeight * kernelWidth);
      const filling = rowsPerFilter * columns - filterWeights;
      expect(filling >= 0 && filling < columns).toBe(true);
      const lastRows = rowsPerFilter - (piecesPerFilter - 1) * rowsPerPiece;
      expect(lastRows >= 1 && lastRows <= rowsPerPiece).toBe(true);
    }),
  );
});
