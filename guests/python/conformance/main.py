"""The conformance guest: does what tests/languages/cases.py asks of every language."""

import logging
import os
import time

from edge_sdk import HostError, Store, body_of, fetch, log, respond

logging.getLogger().setLevel(0)


class TeapotError(Exception):
    """A type of our own."""


def handler(event, context):
    case = CASES.get(event.get("case"))
    return case(event, context) if case else answer_http(event)


def raise_error(event, context):
    raise TeapotError(event["message"])


def describe(event, context):
    return {
        "requestId": context.aws_request_id,
        "functionName": context.function_name,
        "functionVersion": context.function_version,
        "invokedFunctionArn": context.invoked_function_arn,
        "memoryLimitMb": int(context.memory_limit_in_mb),
        "deadlineMs": context.deadline_ms,
        "remainingMs": context.get_remaining_time_in_millis(),
        "traceparent": context.traceparent,
        "clientContext": context.client_context,
    }


def write_log(event, context):
    log.trace("trace 0")
    logging.debug("debug %d", 1)
    print("info 2")
    logging.warning("warn %d", 3)
    log.error("error 4")


def use_kv(event, context):
    store = Store()
    absent = store.entry("k")
    created = store.put("k", "one", if_version=0)
    taken = code_of(store.put, "k", "two", if_version=0)
    first = store.get("k")
    swapped = store.put("k", b"\x00\xff", if_version=created)
    stale = code_of(store.put, "k", "three", if_version=created)
    store.increment("n", 5)
    return {
        "absent": absent is None,
        "taken": taken,
        "first": first,
        "grows": swapped > created,
        "stale": stale,
        "second": store.get("k"),
        "sum": store.increment("n", -2),
        "keys": store.list()[0],
        "deleted": store.delete("k"),
        "again": store.delete("k"),
    }


def code_of(call, *given, **options):
    """The code of the refusal, None if it is done."""
    try:
        call(*given, **options)
    except HostError as refused:
        return refused.code


def use_fetch(event, context):
    try:
        answer = fetch(event["url"], method="POST", headers={"x-ask": "why"}, body=event["body"])
    except HostError as refused:
        return refused.code
    return {"status": answer.status, "header": answer.headers["x-kind"], "body": answer.body}


def stream(event, context):
    headers = {"content-type": "text/event-stream", "x-kind": "streamed"}
    return respond(201, pieces(event), headers=headers, cookies=["a=1"])


def pieces(event):
    for piece in event["pieces"]:
        yield piece
        time.sleep(0.03)
    if "message" in event:
        raise TeapotError(event["message"])


def sleep(event, context):
    began = time.monotonic()
    time.sleep(event["ms"] / 1000)
    return int((time.monotonic() - began) * 1000)


def answer_http(event):
    headers = {
        "content-type": "application/octet-stream",
        "x-answer": event.get("headers", {}).get("x-ask", ""),
        "x-query": event.get("queryStringParameters", {}).get("q", ""),
    }
    cookies = [f"{cookie}; HttpOnly" for cookie in event.get("cookies", ())]
    return respond(201, body_of(event), headers=headers, cookies=cookies)


CASES = {
    "echo": lambda event, context: event["value"],
    "error": raise_error,
    "context": describe,
    "log": write_log,
    "kv": use_kv,
    "kv.get": lambda event, context: code_of(Store().get, "key"),
    "fetch": use_fetch,
    "stream": stream,
    "sleep": sleep,
    "environment": lambda event, context: os.environ.get(event["name"]),
    "random": lambda event, context: os.urandom(16),
}
