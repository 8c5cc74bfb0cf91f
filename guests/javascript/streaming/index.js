// The other half of the conformance guest: a handler that writes its response, or one that returns
// it, is what a function has on Lambda.
class TeapotError extends Error {
  name = "TeapotError";
}

const PAUSE_MS = 30;

export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
  const stream = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 201,
    headers: { "content-type": "text/event-stream", "x-kind": "streamed" },
    cookies: ["a=1"],
  });
  for (const piece of event.pieces) {
    stream.write(piece);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  if (event.message) throw new TeapotError(event.message);
  stream.end();
});
