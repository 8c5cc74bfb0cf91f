"""What Lambda's Python runtime calls `context`, with its attributes and methods.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
Neighbours: `runtime.py` makes one for each event.
"""

import time
from types import SimpleNamespace


class Context:
    """Who is called, for whom, and how long it may take."""

    def __init__(self, said: dict[str, object]) -> None:
        self.aws_request_id = said["requestId"]
        self.function_name = said["functionName"]
        self.function_version = said["functionVersion"]
        self.invoked_function_arn = said["invokedFunctionArn"]
        self.memory_limit_in_mb = str(said["memoryLimitMb"])
        self.log_group_name = f"/aws/lambda/{said['functionName']}"
        self.log_stream_name = f"[{said['functionVersion']}]{said['requestId']}"
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = _client(said.get("clientContext"))
        self.traceparent = said.get("traceparent")
        self.deadline_ms = said["deadlineMs"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended, never below 0."""
        return max(0, self.deadline_ms - int(time.time() * 1000))

    def log(self, message: str) -> None:
        """Write to the function's log, as `print` does."""
        print(message)

    def __repr__(self) -> str:
        return f"Context({self.function_name}:{self.function_version} {self.aws_request_id})"


def _client(said: object) -> SimpleNamespace | None:
    """A client context as the mobile SDKs send it; whatever else it is, is its `custom`."""
    if said is None:
        return None
    if not isinstance(said, dict):
        return SimpleNamespace(client=None, custom=said, env=None)
    client = said.get("client")
    return SimpleNamespace(
        client=SimpleNamespace(**client) if isinstance(client, dict) else None,
        custom=said.get("custom"),
        env=said.get("env"),
    )
