import { inputError } from "@dovetail/core";

// Arithmetic in Timeloop 0.4's attributes: numbers, names, + - * / // % **, parentheses, and a few functions. It is read
// here and nothing is handed to an evaluator: files are not programs.

/** What a name stands for; undefined when nothing does. */
export type Names = (name: string) => unknown;

type Token =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name" | "sign"; readonly text: string };

const functions: Readonly<Record<string, (...values: number[]) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  round: Math.round,
  sqrt: Math.sqrt,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  exp: Math.exp,
  pow: (base, exponent) => base ** exponent,
  min: Math.min,
  max: Math.max,
  int: Math.trunc,
  float: (value) => value,
};

/** Names within names within names: a value that refers to itself would never end. */
const DEEPEST = 50;
/** Brackets within brackets. */
const DEEPEST_BRACKETS = 200;

/**
 * The number that an attribute is: itself, or what its text comes to.
 *
 * @throws DovetailError `timeloop_expression` when it comes to none.
 */
export function evaluateExpression(value: unknown, names: Names, depth = 0): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") throw refuse("a number or an expression is needed", String(value));
  if (depth > DEEPEST) throw refuse("the expression refers to itself", value);
  const reader = new ExpressionReader(tokensOf(value), value, names, depth);
  const result = reader.sum(0);
  reader.expectEnd();
  if (!Number.isFinite(result)) throw refuse("the expression comes to no number", value);
  return result;
}

function refuse(message: string, received: string): Error {
  return inputError("timeloop_expression", message, {
    expected: `numbers, names, + - * / // % ** ( ), and ${Object.keys(functions).join(", ")}`,
    received: received.slice(0, 200),
  });
}

function tokensOf(text: string): Token[] {
  const pattern = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|\/\/|[-+*/%(),]))/y;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.trimEnd().length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw refuse(`the expression cannot be read at position ${start + 1}`, text);
    const [, number, name, sign] = match;
    tokens.push(
      number !== undefined
        ? { kind: "number", value: Number(number) }
        : { kind: name === undefined ? "sign" : "name", text: (name ?? sign)! },
    );
  }
  return tokens;
}

/** Recursive descent over the tokens of one expression. */
class ExpressionReader {
  #at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly text: string,
    private readonly names: Names,
    private readonly depth: number,
  ) {}

  sum(brackets: number): number {
    let value = this.product(brackets);
    for (;;) {
      if (this.take("+")) value += this.product(brackets);
      else if (this.take("-")) value -= this.product(brackets);
      else return value;
    }
  }

  expectEnd(): void {
    if (this.#at < this.tokens.length) throw refuse("the expression goes on where it should end", this.text);
  }

  private product(brackets: number): number {
    let value = this.signed(brackets);
    for (;;) {
      if (this.take("*")) value *= this.signed(brackets);
      else if (this.take("//")) value = Math.floor(value / this.signed(brackets));
      else if (this.take("/")) value /= this.signed(brackets);
      else if (this.take("%")) value %= this.signed(brackets);
      else return value;
    }
  }

  private signed(brackets: number): number {
    if (brackets > DEEPEST_BRACKETS) throw refuse("the expression is nested too deeply", this.text.slice(0, 40));
    if (this.take("-")) return -this.signed(brackets + 1);
    if (this.take("+")) return this.signed(brackets + 1);
    const base = this.atom(brackets);
    return this.take("**") ? base ** this.signed(brackets + 1) : base;
  }

  private atom(brackets: number): number {
    if (this.take("(")) {
      const value = this.sum(brackets + 1);
      this.expect(")");
      return value;
    }
    const token = this.tokens[this.#at++];
    if (token?.kind === "number") return token.value;
    if (token?.kind !== "name") throw refuse("the expression lacks a value", this.text);
    return this.take("(") ? this.call(token.text, brackets) : this.named(token.text);
  }

  private call(name: string, brackets: number): number {
    const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (known === undefined) throw refuse(`unknown function ${name}`, this.text);
    const values = [this.sum(brackets + 1)];
    while (this.take(",")) values.push(this.sum(brackets + 1));
    this.expect(")");
    return known(...values);
  }

  private named(name: string): number {
    const value = this.names(name);
    if (value === undefined) throw refuse(`nothing is called ${name}`, this.text);
    return evaluateExpression(value, this.names, this.depth + 1);
  }

  private take(sign: string): boolean {
    const token = this.tokens[this.#at];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw refuse(`the expression lacks a ${sign}`, this.text);
  }
}
