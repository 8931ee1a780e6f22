import { inputError, nearestWord } from "@dovetail/core";
import { Command, InvalidArgumentError } from "commander";
import { exitCodes } from "../terminal/exit-codes.js";

export interface CommandText {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What else there is to know; stands after the summary in the command's own help. */
  readonly description?: string | undefined;
  /** Command lines with what they do, for the end of the help. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
}

/** A command with the options that all have. */
export function defineCommand(name: string, text: CommandText): Command {
  return describeCommand(new Command(name), text)
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress and no remarks on stderr");
}

/** A command that only holds others; without one of them it does what `defaultName` does. */
export function defineGroup(
  name: string,
  text: CommandText,
  members: readonly Command[],
  defaultName?: string,
): Command {
  const group = describeCommand(new Command(name), text);
  for (const member of members) {
    const isDefault = member.name() === defaultName;
    // The word after the group's name may be meant to be another member: then the list of those helps.
    if (isDefault) member.allowExcessArguments(true).hook("preAction", (_, action) => refuseUnknownMember(action));
    group.addCommand(member, { isDefault });
  }
  return group;
}

function describeCommand(command: Command, { summary, description, examples }: CommandText): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`);
  return command
    .summary(summary)
    .description(
      [`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...(description ? [description] : [])].join("\n\n"),
    )
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Options, by their attributes' names, that mean nothing unless something holds; or the only ones that mean anything. */
export type OptionRequirement =
  | { readonly options: readonly string[]; readonly isMet: boolean; readonly needs: string }
  | { readonly only: readonly string[]; readonly needs: string };

/** Throws the input error `option_without_meaning` where an option was given whose requirement is not met. */
export function requireOptions(command: Command, requirements: readonly OptionRequirement[]): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "cli") continue;
    const broken = requirements.find((requirement) =>
      "only" in requirement
        ? !requirement.only.includes(name)
        : !requirement.isMet && requirement.options.includes(name),
    );
    if (broken === undefined) continue;
    throw inputError("option_without_meaning", "this option would change nothing", {
      path: [option.long ?? option.flags],
      expected: broken.needs,
    });
  }
}

function refuseUnknownMember(command: Command): void {
  const [word] = command.args;
  const group = command.parent;
  if (word === undefined || group === null) return;
  const near = nearestWord(
    word,
    group.commands.map((member) => member.name()),
  );
  const hint = near === undefined ? "" : `\n(Did you mean ${near}?)`;
  group.error(`error: unknown command '${word}'${hint}`, { exitCode: exitCodes.badInput });
}

/** Parser of an option that takes a whole number of at least `least`, and at most `most` where that is given. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `, at least ${least}` : ` from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number${range}.`);
  };
}

/** Parser of an option that takes a number in a range, ends included. */
export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most) return value;
    const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a number ${range}.`);
  };
}

/** Parser of an option that may be given several times. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
