import { inputError, nearestWord } from "@dovetail/core";
import { type CountQuestion, countKinds, type MappingCost } from "@dovetail/hardware";

/** The count that `LEVEL.TENSOR.KIND` names; the input error `unknown_count` where the cost has no such count. */
export function countNamed(text: string, cost: MappingCost): CountQuestion {
  const names = cost.levels.flatMap(({ level, dataSpaces }) =>
    dataSpaces.flatMap(({ dataSpace }) =>
      countKinds.map((kind) => ({ name: `${level}.${dataSpace}.${kind}`, question: { level, dataSpace, kind } })),
    ),
  );
  const found = names.find(({ name }) => name === text);
  if (found) return found.question;
  const near = nearestWord(
    text,
    names.map(({ name }) => name),
  );
  throw inputError("unknown_count", "there is no such count", {
    file: "--explain",
    expected: "LEVEL.TENSOR.reads, .fills or .updates of a level that keeps the tensor",
    received: text,
    hint: near === undefined ? `one of them is ${names[0]?.name}` : `did you mean ${near}?`,
  });
}
