"""The official Python SDK's client against a running lesson: `cargo xtask clients` starts both.

Lists and reads everything, calls tools that read and tools that act, answers what is asked back, follows a resource.
Environment: MALLOC_VR_URL (of /mcp), MALLOC_VR_TOKEN. Argument: how the client connects ("legacy": with `initialize`,
as clients before 2026-07-28; "auto"; or a revision).
"""

import asyncio
import json
import os
import sys

from mcp import Client, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

MODE = sys.argv[1]
asked = []


def check(name, holds, shown=""):
    if not holds:
        raise SystemExit(f"FAILED {MODE}: {name} {shown}")
    print(f"ok   python sdk, {MODE}: {name}")


async def elicited(_context, params):
    asked.append(params.message)
    return types.ElicitResult(action="accept", content={"really": True})


async def all_of(list_page, field):
    found, cursor = [], None
    while True:
        page = await list_page(cursor=cursor)
        found += getattr(page, field)
        cursor = page.next_cursor
        if cursor is None:
            return found


async def main():
    headers = {"Authorization": "Bearer " + os.environ["MALLOC_VR_TOKEN"]}
    http = create_mcp_http_client(headers=headers)
    transport = streamable_http_client(os.environ["MALLOC_VR_URL"], http_client=http)
    async with http, Client(transport, mode=MODE, elicitation_callback=elicited) as client:
        check(f"connects, at {client.protocol_version}", MODE.startswith("20") or client.server_info.name == "malloc-vr", client.server_info)
        tools = {it.name: it for it in await all_of(client.list_tools, "tools")}
        check(f"lists {len(tools)} tools with schemas", len(tools) > 40 and all(it.input_schema and it.output_schema for it in tools.values()))

        # What reads: the SDK checks structured results against the output schema itself.
        reads = [name for name, it in sorted(tools.items()) if it.annotations.read_only_hint and name not in ("lesson.validate", "view.capture")]
        for name in reads:
            result = await client.call_tool(name, {} if name != "learner.explain_decision" else {"seq": 1})
            words = result.content[0].text if result.content else ""
            fine = not result.is_error or name == "learner.explain_decision"
            check(f"{name} answers", fine and (result.is_error or result.structured_content is not None), words[:200])
        checked = await client.call_tool("lesson.validate", {"text": "(nonsense"})
        check("lesson.validate finds mistakes", checked.structured_content["mistakes"])
        refused = await client.call_tool("view.capture", {})
        check("view.capture without a view is refused with a reason", refused.is_error and len(refused.content[0].text) > 20)

        # What acts.
        given = {"text": "well done", "purpose": "a test"}
        tried = await client.call_tool("intervene.message", {**given, "dry_run": True})
        check("a dry run does nothing", tried.structured_content["done"] is False and tried.structured_content["dry_run"])
        done = await client.call_tool("intervene.message", given)
        check("intervene.message is done", done.structured_content["done"], done.structured_content)
        state = await client.call_tool("learner.get_state", {})
        check("and stands in the world", "well done" in json.dumps(state.structured_content))
        liked = (await client.call_tool("learner.get_preferences", {})).structured_content["preferences"]
        for name, arguments in [
            ("intervene.hint", {}), ("intervene.pause", {}), ("intervene.resume", {}),
            ("adapt.apply", {"change": {"what": "difficulty", "multiplier": 0.8}}), ("adapt.revert", {}),
            ("assess.submit_rubric", {"criterion": "creativity", "score": 0.5}),
            ("learner.set_preferences", {"preferences": {"large_text": not liked["large_text"]}}),
            ("scene.spawn", {"id": "ball-1", "label": "a ball", "form": "ball", "size": 0.2, "position": [0, 1.2, -1]}),
            ("scene.remove", {"object": "ball-1"}), ("intervene.pause_all", {}), ("intervene.resume_all", {}),
        ]:
            result = await client.call_tool(name, arguments)
            check(f"{name} is done", not result.is_error, result.content[0].text[:200])
        wrong = await client.call_tool("adapt.apply", {"change": {"what": "difficulty", "multiplier": 9}})
        check("a wrong value is refused as a tool error", wrong.is_error)
        ended = await client.call_tool("session.start", {"purpose": "a test"})
        check("what cannot be undone asks back, and is done then", len(asked) == 1 and not ended.is_error, f"{asked} {ended.content[0].text}")

        resources = await all_of(client.list_resources, "resources")
        check(f"lists {len(resources)} resources", len(resources) >= 10)
        for it in resources:
            read = await client.read_resource(it.uri)
            check(f"{it.uri.split('/')[-1] if it.uri.startswith('learner') else it.uri} is read", read.contents and read.contents[0].text)
        templates = await all_of(client.list_resource_templates, "resource_templates")
        check(f"lists {len(templates)} templates", len(templates) == 6, templates)
        graph = await client.read_resource("lesson://first-steps/graph")
        check("a template is filled in", json.loads(graph.contents[0].text)["steps"])

        prompts = await all_of(client.list_prompts, "prompts")
        check(f"lists {len(prompts)} prompts", len(prompts) == 4)
        learner = state.structured_content["learner"]
        for it in prompts:
            words = {"learner": learner, "lesson": "first-steps", "event": "practice", "level": "beginner", "mode": "short"}
            named = {argument.name: words.get(argument.name, "a test") for argument in it.arguments or []}
            got = await client.get_prompt(it.name, named)
            check(f"prompt {it.name} is filled in", got.messages and got.messages[0].content.text)
        completed = await client.complete(types.PromptReference(type="ref/prompt", name="coach-struggling-learner"), {"name": "learner", "value": learner[:4]})
        check("a learner's id is completed", learner in completed.completion.values)


asyncio.run(main())
