//! The one door: HTTP, MCP, WebSocket, token.
