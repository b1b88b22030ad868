// Prints one JSON object: whether the document could be read, and what the public parser finds in it.
import { Parser } from "@asyncapi/parser";
import { fromFile } from "@asyncapi/parser/cjs/from.js";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const found = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path: path.join("."), message }));
console.log(JSON.stringify({ readable: document !== undefined, found }));
