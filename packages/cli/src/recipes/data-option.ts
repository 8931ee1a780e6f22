import { inputError, nearestWord, withPlace } from "@dovetail/core";
import { checkDocument } from "@dovetail/hardware";
import { type DatasetDescription, datasetDescriptionSchema, type ImageShape, knownDatasets } from "@dovetail/train";
import { parse } from "yaml";

const kinds = datasetDescriptionSchema.options.map((option) => [...option.shape.kind.values][0]!);

/** For the help of commands that take `--data`. */
export const dataOptionHelp = `a known data set (see \`dovetail data\`), a kind (${kinds.join(", ")}), or KIND:PATH`;

/**
 * The data set that `--data TEXT` names, with fields such as `testImagesPerClass=100` from `--data-option`.
 * `imageShape` is that of the network, for folders of images, which need a size. Throws input errors that name the option.
 */
export async function dataDescription(
  text: string,
  assignments: readonly string[] = [],
  imageShape?: ImageShape,
): Promise<DatasetDescription> {
  const [, kind = text, path] = /^([^:]+):(.+)$/.exec(text) ?? [];
  const base = await baseDescription(kind, path, text);
  const size =
    base.kind === "image-folder" && imageShape
      ? { imageSize: [imageShape[1], imageShape[2]], channels: imageShape[0] }
      : {};
  const fields = Object.fromEntries(assignments.map((assignment) => parseAssignment("--data-option", assignment)));
  try {
    return checkDocument<DatasetDescription>(datasetDescriptionSchema, { ...base, ...size, ...fields });
  } catch (error) {
    const options = assignments.map((assignment) => ` --data-option ${assignment}`).join("");
    throw withPlace(error, { file: `--data ${text}${options}` });
  }
}

async function baseDescription(
  kind: string,
  path: string | undefined,
  text: string,
): Promise<{ readonly kind: string; readonly path?: string }> {
  const place = path === undefined ? {} : { path };
  if ((kinds as readonly string[]).includes(kind)) return { kind, ...place };
  const known = await knownDatasets();
  const named = known.find(({ name }) => name === kind);
  if (named) return { ...named.description, ...place } as { kind: string };
  const names = [...known.map(({ name }) => name), ...kinds];
  const near = nearestWord(kind, names);
  throw inputError("unknown_dataset", "no such data set", {
    file: `--data ${text}`,
    expected: `one of ${names.join(", ")}, or KIND:PATH`,
    received: kind,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

/** `FIELD=VALUE` of an option that may be repeated; the value is read as YAML. */
export function parseAssignment(option: string, assignment: string): [string, unknown] {
  const [name, ...value] = assignment.split("=");
  if (name && value.length > 0) return [name, parse(value.join("="))];
  throw inputError("override_syntax", "not an assignment", {
    file: option,
    expected: "FIELD=VALUE, such as testImagesPerClass=100",
    received: assignment,
  });
}
