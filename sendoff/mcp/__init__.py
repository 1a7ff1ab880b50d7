"""The MCP server: what the command line and Python can do, as tools for agents.

`server` and `http` speak the protocol; `questions`, `answers` and `tools` say what there is to
call; `submitting`, `looking` and `waiting` call what the command line calls. Only `server` and
`http` need the SDK, which is the extra `sendoff[mcp]`.
"""
