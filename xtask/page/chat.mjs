// A small chat client for MCP Apps (SEP-1865, 2026-01-26): reads the page as the tool names it, shows it in a sandboxed
// frame of another origin under the policy that the resource asks for, and passes on what a client passes on.

import http from "node:http";

const REVISION = "2026-07-28";

async function rpc(base, token, method, params) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": { name: "chat", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } } },
  };
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream", "MCP-Protocol-Version": REVISION, "Mcp-Method": method };
  if (params.name ?? params.uri) headers["Mcp-Name"] = params.name ?? params.uri;
  const response = await fetch(`${base}mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } }) });
  const text = await response.text();
  const data = text.split("\n").filter((line) => line.startsWith("data:") && line.includes("\"id\"")).at(-1);
  return JSON.parse(data ? data.slice(5) : text);
}

/** The window of the chat, with the page in a frame. */
function hostPage(frame) {
  return `<!doctype html><meta charset="utf-8"><title>A chat</title><style>
    body { margin: 0; font: 16px system-ui, sans-serif; background: #1d1d22; color: #ececf1; display: grid; justify-content: center; }
    main { width: 940px; padding: 24px 0; } .said { background: #2c2c34; border-radius: 14px; padding: 12px 16px; margin: 0 0 16px auto; width: max-content; }
    iframe { width: 100%; height: 700px; border: 1px solid #44444f; border-radius: 16px; background: transparent; }</style>
  <main><p class="said">How is my class doing?</p><p>Here is the class as it is now.</p><iframe sandbox="allow-scripts allow-same-origin" src="${frame}"></iframe></main>
  <script>
    const frame = document.querySelector("iframe");
    window.methods = [];
    let torn = null;
    let ready = false;
    const post = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
    addEventListener("message", async ({ source, data }) => {
      if (source !== frame.contentWindow || data?.jsonrpc !== "2.0") return;
      if (!data.method) { if (data.id === "teardown") torn?.(true); return; }
      window.methods.push(data.method);
      if (data.method === "ui/initialize") {
        post({ id: data.id, result: { protocolVersion: data.params.protocolVersion, hostInfo: { name: "chat", version: "1" },
          hostCapabilities: { serverTools: {}, serverResources: {} }, hostContext: { theme: "dark", displayMode: "inline", containerDimensions: { width: 940, maxHeight: 700 } } } });
      } else if (data.method === "ui/notifications/initialized") {
        ready = true;
        post({ method: "ui/notifications/tool-input", params: { arguments: {} } });
      } else if (data.method === "tools/call" || data.method === "resources/read") {
        if (!ready) throw new Error("not initialized");
        const answer = await (await fetch("/rpc", { method: "POST", body: JSON.stringify({ method: data.method, params: data.params }) })).json();
        post(answer.error ? { id: data.id, error: answer.error } : { id: data.id, result: answer.result });
      } else if (data.id !== undefined) {
        post({ id: data.id, result: {} });
      }
    });
    window.theme = (theme) => post({ method: "ui/notifications/host-context-changed", params: { theme } });
    window.teardown = () => new Promise((resolve) => { torn = resolve; post({ id: "teardown", method: "ui/resource-teardown", params: { reason: "the chat is closed" } }); });
  </script>`;
}

/** Serves the chat, and the page from another origin, with the policy of the specification. */
export async function serveHost(base, token) {
  const tools = (await rpc(base, token, "tools/list", {})).result.tools;
  const tool = tools.find((it) => it._meta?.ui?.resourceUri && it._meta.ui.visibility === undefined);
  if (!tool) throw new Error("no tool names a page");
  const uri = tool._meta.ui.resourceUri;
  const [content] = (await rpc(base, token, "resources/read", { uri })).result.contents;
  if (content.mimeType !== "text/html;profile=mcp-app") throw new Error(content.mimeType);
  const csp = content._meta?.ui?.csp ?? {};
  const join = (list) => (list ?? []).join(" ");
  const policy = `default-src 'none'; script-src 'self' 'unsafe-inline' ${join(csp.resourceDomains)}; style-src 'self' 'unsafe-inline' ${join(csp.resourceDomains)}; connect-src 'self' ${join(csp.connectDomains)}; img-src 'self' data: ${join(csp.resourceDomains)}; frame-src 'none'; object-src 'none'; base-uri 'self'`;
  const appOnly = new Map(tools.map((it) => [it.name, it._meta?.ui?.visibility ?? ["model", "app"]]));
  const refused = [];
  const listen = (does) => new Promise((resolve) => {
    const server = http.createServer(does).listen(0, "127.0.0.1", () => resolve(server));
  });
  const view = await listen((request, response) => {
    if (request.url !== "/") refused.push(request.url);
    response.writeHead(request.url === "/" ? 200 : 404, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy });
    response.end(request.url === "/" ? content.text : "");
  });
  const chat = await listen(async (request, response) => {
    if (request.url !== "/rpc") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      // Another name for this machine is another origin.
      return response.end(hostPage(`http://localhost:${view.address().port}/`));
    }
    let body = "";
    for await (const part of request) body += part;
    const { method, params } = JSON.parse(body);
    const allowed = method === "resources/read" || appOnly.get(params.name)?.includes("app");
    const answer = allowed ? await rpc(base, token, method, params) : { error: { code: -32000, message: `${params.name} is not for apps` } };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ result: answer.result, error: answer.error }));
  });
  return { url: `http://127.0.0.1:${chat.address().port}/`, refused, close: () => { view.close(); chat.close(); } };
}
