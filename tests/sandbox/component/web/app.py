"""A `wasi:http` guest in Python, as componentize-py makes one: what it does is said by the path.

/hello     a head and a body                  /count    how many bytes were sent to it
/echo      the body as it comes, then its trailers
/proxy     the same request to the server in `x-to`, and its answer as it comes
/part      a part of a body, and no more      /never    a part, and then it sleeps
/drop      lets go of streams and bodies in every order, then says so
/fail      an error code instead of an answer
"""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import monotonic_clock, outgoing_handler, poll, streams, types

READ_BYTES = 16 * 1024
WRITE_BYTES = 4096
FOREVER_NS = 3_600_000_000_000


class IncomingHandler(exports.IncomingHandler):
    """The export."""

    def handle(self, request, response_out):
        path = (request.path_with_query() or "/").partition("?")[0]
        PATHS[path](request, response_out)


def answer(response_out, status=200, headers=(), body=True):
    """Answer with a head; the body to write, if there is one."""
    response = types.OutgoingResponse(fields(headers))
    response.set_status_code(status)
    outgoing = response.body() if body else None
    types.ResponseOutparam.set(response_out, Ok(response))
    return outgoing


def fields(pairs):
    return types.Fields.from_list([(name, value) for name, value in pairs])


def write(stream, data):
    """All of it, as room comes."""
    for at in range(0, len(data), WRITE_BYTES):
        stream.blocking_write_and_flush(data[at : at + WRITE_BYTES])


def pieces(body):
    """What comes of a body, until it ends."""
    with body.stream() as stream:
        while True:
            try:
                yield stream.blocking_read(READ_BYTES)
            except Err as end:
                if isinstance(end.value, streams.StreamError_Closed):
                    return
                raise


def trailers_of(body):
    """What is behind a body that was read."""
    future = types.IncomingBody.finish(body)
    future.subscribe().block()
    found = future.get().value.value
    return [] if found is None else found.entries()


def hello(request, response_out):
    body = answer(response_out, 201, [("x-kind", b"hello"), ("set-cookie", b"a=1")])
    with body.write() as stream:
        write(stream, b"hello from python")
    types.OutgoingBody.finish(body, None)


def count(request, response_out):
    size = sum(map(len, pieces(request.consume())))
    body = answer(response_out)
    with body.write() as stream:
        write(stream, str(size).encode())
    types.OutgoingBody.finish(body, None)


def echo(request, response_out):
    incoming, body = request.consume(), answer(response_out)
    with body.write() as stream:
        for piece in pieces(incoming):
            write(stream, piece)
    trailers = trailers_of(incoming)
    types.OutgoingBody.finish(body, fields(trailers) if trailers else None)


def proxy(request, response_out):
    incoming, headers = request.consume(), dict(request.headers().entries())
    asked = types.OutgoingRequest(fields([("x-guest", b"python")]))
    asked.set_method(types.Method_Post())
    asked.set_scheme(types.Scheme_Http())
    asked.set_authority(headers["x-to"].decode())
    asked.set_path_with_query("/asked")
    sent = asked.body()
    future = outgoing_handler.handle(asked, None)
    with sent.write() as stream:
        for piece in pieces(incoming):
            write(stream, piece)
    trailers = trailers_of(incoming)
    types.OutgoingBody.finish(sent, fields(trailers) if trailers else None)
    future.subscribe().block()
    got = future.get().value
    if isinstance(got, Err):
        answer(response_out, 502, [("x-error", type(got.value).__name__.encode())], body=False)
        return
    response = got.value
    kind = response.headers().get("x-origin")
    received, body = (
        response.consume(),
        answer(response_out, response.status(), [("x-origin", kind[0])]),
    )
    with body.write() as stream:
        for piece in pieces(received):
            write(stream, piece)
    trailers = trailers_of(received)
    types.OutgoingBody.finish(body, fields(trailers) if trailers else None)


def part(request, response_out):
    body = answer(response_out)
    with body.write() as stream:
        write(stream, b"a part")


def never(request, response_out):
    body = answer(response_out)
    with body.write() as stream:
        write(stream, b"a part")
        monotonic_clock.subscribe_duration(FOREVER_NS).block()


def drop(request, response_out):
    incoming = request.consume()
    stream = incoming.stream()
    waiting = stream.subscribe()
    for each in (incoming, stream, waiting, request):
        each.__exit__(None, None, None)
    response = types.OutgoingResponse(types.Fields())
    body = response.body()
    output = body.write()
    ready = output.subscribe()
    for each in (response, body, ready, output):
        each.__exit__(None, None, None)
    body = answer(response_out)
    output = body.write()
    ready = output.subscribe()
    write(output, b"dropped")
    output.__exit__(None, None, None)
    poll.poll([ready])
    types.OutgoingBody.finish(body, None)


def fail(request, response_out):
    types.ResponseOutparam.set(response_out, Err(types.ErrorCode_LoopDetected()))


PATHS = {
    "/hello": hello,
    "/count": count,
    "/echo": echo,
    "/proxy": proxy,
    "/part": part,
    "/never": never,
    "/drop": drop,
    "/fail": fail,
}
