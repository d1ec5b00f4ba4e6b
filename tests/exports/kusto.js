// Reads KQL queries (a JSON list of texts) and tells of each: faults that Kusto's own parser finds, texts in quotation
// marks as it understands them, and how many pipes there are outside of them.
const library = process.argv[2] + "/@kusto/language-service-next/";
require(library + "bridge.min.js");
require(library + "Kusto.Language.Bridge.min.js");

function told(query) {
  const code = Kusto.Language.KustoCode.Parse(query);
  const found = { faults: [], texts: [], pipes: 0 };
  const diagnostics = code.GetDiagnostics();
  for (let i = 0; i < diagnostics.Count; i++) found.faults.push(diagnostics.getItem(i).Message);
  const walk = (node) => {
    if (!node) return;
    if (typeof node.LiteralValue === "string") found.texts.push(node.LiteralValue);
    if (!node.ChildCount && node.Text === "|") found.pipes += 1;
    for (let i = 0; i < (node.ChildCount || 0); i++) walk(node.GetChild(i));
  };
  walk(code.Syntax);
  return found;
}

const queries = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(queries.map(told)));
