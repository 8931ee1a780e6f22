/** The nearest whole number, of two equally near ones the even one, as ONNX's Round and IEEE 754. */
export function roundHalfToEven(value: number): number {
  return value - Math.floor(value) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
}
