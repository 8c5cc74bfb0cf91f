"""InvokeWithResponseStream, driven by boto3."""

import base64
import json
from typing import Any, NamedTuple

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError

from edge.front.lambda_api.eventstream import event
from edge.model.outcome import Outcome
from tests.front.lambda_calls import refused
from tests.running import Server

PIECE_BYTES = 64 * 1024
PRELUDE_END = bytes(8)


class Streamed(NamedTuple):
    """An answer, its chunks as they came, and how it ended."""

    response: dict[str, Any]
    chunks: list[bytes]
    complete: dict[str, str]

    @property
    def content_type(self) -> str:
        """What the function's answer is."""
        headers = self.response["ResponseMetadata"]["HTTPHeaders"]
        remapped: str = headers["x-amzn-remapped-content-type"]
        return remapped


@pytest.fixture(scope="module")
def deployed(host: Server, streamer: bytes) -> Server:
    """The host, with the function that streams."""
    host.deploy("streamer", streamer, timeoutMs=10_000)
    host.deploy("lonely", streamer, timeoutMs=10_000, concurrency=1)
    return host


def stream(client: Any, name: str, path: str, query: str = "", **more: Any) -> Streamed:
    """Invoke, and read to the end."""
    name_value = dict([query.split("=")]) if query else {}
    payload = json.dumps({"rawPath": path, "queryStringParameters": name_value}).encode()
    response = client.invoke_with_response_stream(FunctionName=name, Payload=payload, **more)
    chunks, complete = [], None
    for item in response["EventStream"]:
        assert complete is None, "nothing comes behind the end"
        if "PayloadChunk" in item:
            chunks.append(item["PayloadChunk"]["Payload"])
        complete = item.get("InvokeComplete")
    assert complete is not None
    return Streamed(response, chunks, complete)


def test_frames_are_what_a_client_of_aws_reads() -> None:
    """By botocore's own reader, which checks both sums."""
    buffer = EventStreamBuffer()
    buffer.add_data(event("PayloadChunk", "a/b", b"\0data") + event("InvokeComplete", "c/d", b""))
    frames = list(buffer)
    assert [frame.payload for frame in frames] == [b"\0data", b""]
    assert frames[0].headers == {
        ":event-type": "PayloadChunk",
        ":content-type": "a/b",
        ":message-type": "event",
    }


def test_pieces_come_behind_the_head(client: Any, deployed: Server) -> None:
    """Lambda's prelude, then the body in as many chunks as it takes."""
    got = stream(client, "streamer", "/count", "n=3000")
    assert got.response["StatusCode"] == 200
    assert got.response["ExecutedVersion"] == "$LATEST"
    assert got.content_type == "application/vnd.awslambda.http-integration-response"
    prelude, body = b"".join(got.chunks).split(PRELUDE_END)
    assert json.loads(prelude) == {
        "statusCode": 201,
        "headers": {"content-type": "text/event-stream", "x-kind": "streamed"},
        "cookies": ["a=1", "b=2"],
    }
    assert body == b"".join(b"line %d\n" % number for number in range(3000))
    assert got.complete == {}


def test_bytes_without_a_head_are_bytes(client: Any, deployed: Server) -> None:
    """Nothing is put in front of them."""
    got = stream(client, "streamer", "/big", "n=20")
    assert len(b"".join(got.chunks)) == 20 * PIECE_BYTES
    assert len(got.chunks) > 1
    assert got.content_type == "application/octet-stream"


def test_an_answer_that_is_returned_is_one_chunk(client: Any, deployed: Server) -> None:
    """As Invoke has it; the log's end comes with it when it is asked for."""
    got = stream(client, "actor", "/context", LogType="Tail")
    [chunk] = got.chunks
    assert json.loads(chunk)["functionName"] == "actor"
    assert got.content_type == "application/json"
    assert b"REPORT RequestId" in base64.b64decode(got.complete["LogResult"])


@pytest.mark.parametrize(
    ("name", "kind", "before"),
    [("actor", "SecretError", b""), ("streamer", "LateError", b"a part")],
)
def test_a_failure_is_told_at_the_end(
    client: Any, deployed: Server, name: str, kind: str, before: bytes
) -> None:
    """Before anything was written, and after."""
    got = stream(client, name, "/fail", "n=50")
    assert got.complete["ErrorCode"] == "Unhandled"
    assert json.loads(got.complete["ErrorDetails"])["errorType"] == kind
    assert b"".join(got.chunks).rpartition(PRELUDE_END)[2] == before


def test_what_does_not_run_is_refused(client: Any, deployed: Server) -> None:
    """Before there is a stream: an unknown function, a limit, a type of its own."""
    with pytest.raises(ClientError) as missing:
        stream(client, "nobody", "/")
    assert refused(missing) == ("ResourceNotFoundException", 404)
    path = b'{"rawPath": "/until"}'
    held = client.invoke_with_response_stream(FunctionName="lonely", Payload=path)
    next(iter(held["EventStream"]))
    with pytest.raises(ClientError) as limit:
        stream(client, "lonely", "/count")
    assert refused(limit) == ("TooManyRequestsException", 429)
    held["EventStream"].close()
    with pytest.raises(ClientError) as wrong:
        client.invoke_with_response_stream(FunctionName="actor", InvocationType="Event")
    assert refused(wrong) == ("InvalidParameterValueException", 400)
    dry = client.invoke_with_response_stream(FunctionName="actor", InvocationType="DryRun")
    assert dry["StatusCode"] == 204
    dry["EventStream"].close()


def test_a_client_that_leaves_ends_its_guest(client: Any, deployed: Server) -> None:
    """In the middle of what it writes."""
    path = b'{"rawPath": "/until"}'
    held = client.invoke_with_response_stream(FunctionName="streamer", Payload=path)
    next(iter(held["EventStream"]))
    held["EventStream"].close()
    request_id = held["ResponseMetadata"]["RequestId"]
    assert deployed.record(request_id).outcome is Outcome.CANCELED


def test_invoke_collects(client: Any, deployed: Server) -> None:
    """Whoever takes no stream gets Lambda's response, its body as text where it is that."""
    payload = b'{"rawPath": "/count", "queryStringParameters": {"n": "3000"}}'
    answer = client.invoke(FunctionName="streamer", Payload=payload)
    document = json.load(answer["Payload"])
    assert document["statusCode"] == 201
    assert document["body"].startswith("line 0\nline 1\n")
    assert document["isBase64Encoded"] is False
