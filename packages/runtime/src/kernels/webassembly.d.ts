// The part of WebAssembly's interface that the kernels use: it is in TypeScript's browser library alone.

declare namespace WebAssembly {
  interface Module {
    readonly __module?: never;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>,
  ): Promise<{ readonly exports: object }>;
}
