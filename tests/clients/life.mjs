/**
 * A function's life by @aws-sdk/client-lambda: `node life.mjs ECHO_ZIP ACTOR_ZIP`.
 *
 * Neighbours: `test_javascript_sdk.py` runs it, with the endpoint and the key in the environment.
 * It throws at the first step that is not as it should be, and prints `done` at the end.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import {
  Lambda,
  ResourceNotFoundException,
  TooManyRequestsException,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";

const FunctionName = "life";
const WAITER = { maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const client = new Lambda({ maxAttempts: 1 });
const [echo, actor] = await Promise.all(process.argv.slice(2).map((path) => readFile(path)));

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
const read = (answer) => JSON.parse(new TextDecoder().decode(answer.Payload));
const invoke = (value, more = {}) =>
  client.invoke({ FunctionName, Payload: bytes(value), ...more });

const made = await client.createFunction({
  FunctionName,
  Role: "arn:aws:iam::000000000000:role/any",
  Runtime: "provided.al2023",
  Handler: "bootstrap",
  Code: { ZipFile: echo },
  Tags: { team: "a" },
});
await waitUntilFunctionActiveV2({ client, ...WAITER }, { FunctionName });

const answered = await invoke({ n: 1 });
assert.deepEqual([answered.StatusCode, answered.ExecutedVersion], [200, "$LATEST"]);
assert.deepEqual(read(answered), { n: 1 });
assert.equal((await invoke({}, { InvocationType: "Event" })).StatusCode, 202);
assert.equal((await invoke({}, { InvocationType: "DryRun" })).StatusCode, 204);
const ClientContext = Buffer.from('{"custom":{"a":1}}').toString("base64");
const context = read(await invoke({ echo: "context" }, { ClientContext }));
assert.deepEqual(context.clientContext, { custom: { a: 1 } });
assert.equal((await client.publishVersion({ FunctionName })).Version, "1");

await client.updateFunctionCode({ FunctionName, ZipFile: actor });
await waitUntilFunctionUpdatedV2({ client, ...WAITER }, { FunctionName });
const failed = await invoke({ rawPath: "/fail" }, { LogType: "Tail" });
assert.equal(failed.FunctionError, "Unhandled");
assert.equal(read(failed).errorType, "SecretError");
assert.match(Buffer.from(failed.LogResult, "base64").toString(), /REPORT RequestId/);
await client.updateFunctionConfiguration({ FunctionName, Timeout: 5 });
await waitUntilFunctionUpdatedV2({ client, ...WAITER }, { FunctionName });
assert.equal((await client.publishVersion({ FunctionName })).Version, "2");

const streamed = async (value) => {
  const { EventStream } = await client.invokeWithResponseStream({
    FunctionName,
    Payload: bytes(value),
  });
  let [text, complete] = ["", undefined];
  for await (const { PayloadChunk, InvokeComplete } of EventStream) {
    if (PayloadChunk) text += new TextDecoder().decode(PayloadChunk.Payload);
    if (InvokeComplete) complete = InvokeComplete;
  }
  return [text, complete.ErrorCode];
};
const [whole, none] = await streamed({ rawPath: "/log", body: "x" });
assert.deepEqual([JSON.parse(whole).statusCode, none], [200, undefined]);
const [prelude, body] = (await streamed({ rawPath: "/stream", body: "ab" }))[0].split("\0".repeat(8));
assert.deepEqual([JSON.parse(prelude).statusCode, body], [201, "abab"]);
assert.equal((await streamed({ rawPath: "/stream", body: "fail" }))[1], "Unhandled");

const live = { FunctionName, Name: "live" };
const answering = async () => (await invoke({}, { Qualifier: live.Name })).ExecutedVersion;
await client.createAlias({ ...live, FunctionVersion: "1" });
assert.equal(await answering(), "1");
await client.updateAlias({ ...live, RoutingConfig: { AdditionalVersionWeights: { 2: 1 } } });
assert.equal(await answering(), "2");
await client.updateAlias({ ...live, FunctionVersion: "2", RoutingConfig: {} });
assert.equal((await client.getAlias(live)).FunctionVersion, "2");

await client.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 0 });
await assert.rejects(invoke({}), TooManyRequestsException);
await client.deleteFunctionConcurrency({ FunctionName });

const inbox = { FunctionName, StatementId: "inbox" };
const Principal = "s3.amazonaws.com";
await client.addPermission({ ...inbox, Action: "lambda:InvokeFunction", Principal });
const { Policy } = await client.getPolicy({ FunctionName });
assert.deepEqual(JSON.parse(Policy).Statement[0].Principal, { Service: Principal });
await client.removePermission(inbox);
await assert.rejects(client.getPolicy({ FunctionName }), ResourceNotFoundException);

await client.tagResource({ Resource: made.FunctionArn, Tags: { stage: "test" } });
await client.untagResource({ Resource: made.FunctionArn, TagKeys: ["team"] });
const { Tags } = await client.listTags({ Resource: made.FunctionArn });
assert.deepEqual(Tags, { stage: "test" });

await client.deleteFunction({ FunctionName });
await assert.rejects(client.getFunction({ FunctionName }), ResourceNotFoundException);
console.log("done");
