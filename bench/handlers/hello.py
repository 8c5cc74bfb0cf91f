"""Says hello from Python, as the least a component can do; built by componentize-py."""

import json

import wit_world  # type: ignore[import-not-found]


class WitWorld(wit_world.WitWorld):  # type: ignore[misc]
    """World `edge:function`."""

    def handle(self, envelope: str) -> str:
        """Answer with the name in the event."""
        event = json.loads(envelope)["event"]
        return json.dumps({"ok": f"hello {event.get('name')}"})
