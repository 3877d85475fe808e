/** Builds the runner with the page inside, once for all suites. With NANO_E2E_URL they use a server that runs already. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The runner's program; empty when NANO_E2E_URL names a server. */
    program: string;
  }
}

const repository = join(import.meta.dirname, "../../..");

export default function setup(project: TestProject): () => void {
  mkdirSync(join(import.meta.dirname, "../results"), { recursive: true });
  if (process.env["NANO_E2E_URL"]) {
    project.provide("program", "");
    return () => undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "nanotype-e2e-"));
  const program = join(folder, "nanotype");
  execFileSync("go", ["build", "-o", program, "./infra/local/bootstrap"], { cwd: repository, stdio: "inherit" });
  project.provide("program", program);
  return () => rmSync(folder, { recursive: true, force: true });
}
