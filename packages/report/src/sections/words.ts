import { formatBytes, formatCount } from "../format/numbers.js";

const small = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** Small whole numbers as words. */
export function inWords(count: number): string {
  return small[count] ?? formatCount(count);
}

/** `globalBufferBytes` as `global buffer`. */
export function parameterName(name: string): string {
  return name
    .replace(/Bytes$/, "")
    .replace(/([A-Z])/g, " $1")
    .toLowerCase();
}

/** A parameter's value with the unit that its name says. */
export function parameterText(name: string, value: number): string {
  return name.endsWith("Bytes") ? formatBytes(value) : formatCount(value);
}

/** A label in the middle of a sentence; abbreviations stay as they are. */
export function inSentence(label: string): string {
  return /^[A-Z]{2}/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}
