// MCP over HTTP, each request for itself (revision 2026-07-28): for what the live stream does not carry.

const REVISION = "2026-07-28";

/** What came back of a tool, in one form for both ways to the machine. */
export function toolResult(result) {
  const texts = (result?.content ?? []).filter((it) => it.type === "text").map((it) => it.text);
  const data = result?.structuredContent ?? null;
  const words = data?.effect ?? (texts.length ? texts.join("\n") : "");
  return { ok: !result?.isError, words, data, content: result?.content ?? [] };
}

/** The text of a resource, read as JSON. */
export function resourceJson(result) {
  return JSON.parse(result?.contents?.[0]?.text ?? "null");
}

async function message(response, id) {
  const text = await response.text();
  const kind = response.headers.get("content-type") ?? "";
  if (!kind.startsWith("text/event-stream")) return JSON.parse(text);
  for (const block of text.split(/\r?\n\r?\n/)) {
    const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
    const data = lines.map((line) => line.slice(5).trim()).join("\n");
    if (!data) continue;
    const parsed = JSON.parse(data);
    if (parsed.id === id) return parsed;
  }
  throw new Error("the machine's answer was cut off; try again");
}

/** One request; throws with words for people. */
export async function mcp(token, method, params) {
  const id = crypto.getRandomValues(new Uint32Array(1))[0];
  const name = params.name ?? params.uri;
  const headers = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    "MCP-Protocol-Version": REVISION,
    "Mcp-Method": method,
  };
  if (name) headers["Mcp-Name"] = name;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": { name: "malloc-vr-page", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } });
  const response = await fetch("/mcp", { method: "POST", headers, body });
  if (!response.ok) {
    const problem = await response.json().catch(() => null);
    throw new Error(problem?.message ?? problem?.error?.message ?? `the machine answered ${response.status}`);
  }
  const answer = await message(response, id);
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}
