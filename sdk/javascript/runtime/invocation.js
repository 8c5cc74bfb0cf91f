/**
 * What an invocation is made of: the handler, its context, the error it ends in.
 *
 * Neighbours: `serve.js` and `starlingmonkey/serve.js` run one, each as its engine runs promises.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */

const STACK_LINES_MAX = 64;

/** The handler among a module's exports, perhaps with dots in its name; empty for the usual ones. */
export function handlerOf(module, name) {
  const handler = name
    ? (exported(module, name) ?? exported(module.default, name))
    : (module.handler ?? module.default?.handler ?? module.default);
  if (typeof handler !== "function") {
    throw new TypeError(`the function exports no '${name || "handler"}(event, context)'`);
  }
  return handler;
}

function exported(module, name) {
  return name.split(".").reduce((inside, part) => inside?.[part], module);
}

/** The context of a prime. */
export const PRIME = {
  requestId: "prime",
  functionName: "prime",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:edge:000000000000:function:prime:$LATEST",
  memoryLimitMb: 128,
  deadlineMs: Number.MAX_SAFE_INTEGER,
  traceparent: null,
  clientContext: null,
};

/** What a handler is given as its second argument. */
export function contextOf(said) {
  return {
    awsRequestId: said.requestId,
    callbackWaitsForEmptyEventLoop: true,
    clientContext: said.clientContext ?? undefined,
    deadlineMs: said.deadlineMs,
    functionName: said.functionName,
    functionVersion: said.functionVersion,
    identity: undefined,
    invokedFunctionArn: said.invokedFunctionArn,
    logGroupName: `/aws/lambda/${said.functionName}`,
    logStreamName: `[${said.functionVersion}]${said.requestId}`,
    memoryLimitInMB: String(said.memoryLimitMb),
    traceparent: said.traceparent,
    getRemainingTimeInMillis: () => Math.max(0, said.deadlineMs - Date.now()),
  };
}

/** Lambda's error object. */
export function describe(error) {
  if (!(error instanceof Error)) {
    return { errorType: "Error", errorMessage: String(error), stackTrace: [] };
  }
  const stack = (error.stack ?? "").split("\n").filter((line) => line.trim());
  return {
    errorType: error.name || error.constructor.name,
    errorMessage: String(error.message).toWellFormed(),
    stackTrace: stack.slice(0, STACK_LINES_MAX),
  };
}
