/**
 * The mark of a handler that writes its response: under it is the stream's class, so that `serve.js`
 * needs none for functions that do not.
 */
export const marked = Symbol.for("aws.lambda.runtime.handler.streaming");
