import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { writeTinyImages } from "../testing/tiny-images.js";

useTemporaryFolder();

describe("dovetail data", () => {
  it("lists what is known, without a word too", async () => {
    const { exitCode, stdout } = await runCommand(["data"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^name +here +where +data set\ncifar10-bundled +yes +\S*data +CIFAR-10/);
    expect(stdout).toMatch(/\nmnist +no +- /);
    const listed = JSON.parse((await runCommand(["data", "list", "--json"])).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain("cifar10-jpeg");
  });

  it("says where to get what is missing, and what to write in a recipe", async () => {
    const { stdout } = await runCommand(["data", "show", "cifar10-binary"], {
      environment: { DOVETAIL_DATA: "/nowhere" },
    });
    expect(stdout).toContain("place      /nowhere/cifar-10-batches-bin");
    expect(stdout).toContain("cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");
    expect(stdout).toContain("kind: cifar10-binary");
  });

  it("verifies the bundled images", async () => {
    const { exitCode, stdout, stderr } = await runCommand(["data", "verify", "cifar10-bundled", "--quiet"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("15000 training images, 10000 test images, all decoded");
    expect(stdout).toContain("cifar10-bundled is as published");
  });

  it("imports files, and leaves with 1 when they are not what was published", async () => {
    writeTinyImages("given");
    const environment = { DOVETAIL_DATA: "data" };
    const imported = await runCommand(["data", "import", "mnist", "given", "--quiet"], { environment });
    expect(existsSync("data/mnist/train-images-idx3-ubyte")).toBe(true);
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("mnist is now in ") });
    const listed = await runCommand(["data"], { environment });
    expect(listed.stdout).toMatch(/\nmnist +yes +data\/mnist +/);
    // A gzipped file has a published hash, which this one lacks.
    const { gzipSync } = await import("node:zlib");
    writeFileSync("given/t10k-labels-idx1-ubyte.gz", gzipSync(readFileSync("given/t10k-labels-idx1-ubyte")));
    const verified = await runCommand(["data", "verify", "mnist", "--folder", "given", "--quiet"]);
    expect(verified).toMatchObject({ exitCode: 1, stderr: "mnist is not as published\n" });
    expect(verified.stdout).toContain("other contents");
  });
});
