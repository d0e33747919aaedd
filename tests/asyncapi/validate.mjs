// Validate an AsyncAPI document: one line for each finding, exit status 1 where there is an error.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const [path] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"));
for (const each of diagnostics) {
  console.log(`${["error", "warning", "information", "hint"][each.severity]} ${each.path.join(".")}: ${each.message}`);
}
console.log(`channels ${document ? document.channels().all().length : 0}`);
process.exitCode = !document || diagnostics.some((each) => each.severity === ERROR) ? 1 : 0;
