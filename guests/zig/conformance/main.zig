//! The conformance guest: does what tests/languages/cases.py asks of every language.

const std = @import("std");
const edge = @import("edge");
const Value = edge.Value;

const Case = enum { echo, @"error", context, log, kv, @"kv.get", fetch, stream, sleep, environment, random, http };

fn answer(event: Value, context: edge.Context) !Value {
    const name = event.get("case").asText() orelse "http";
    switch (std.meta.stringToEnum(Case, name) orelse .http) {
        .echo => return event.get("value"),
        .@"error" => {
            const message = event.get("message").asText() orelse "";
            return edge.fail(@src(), error.TeapotError, "{s}", .{message});
        },
        .context => return describe(context),
        .log => return writeLog(),
        .kv => return useKv(),
        .@"kv.get" => {
            _ = (edge.Store{}).get("key") catch |refusal| return Value.from(edge.code(refusal));
            return .null;
        },
        .fetch => return fetch(event),
        .stream => return streamed(event),
        .sleep => {
            const began_ms = edge.nowMs();
            edge.sleepMs(event.get("ms").asInt(u64) orelse 0);
            return Value.from(edge.nowMs() - began_ms);
        },
        .environment => return Value.from(edge.environment(event.get("name").asText() orelse "")),
        .random => {
            const drawn = try edge.memory.alloc(u8, 16);
            edge.random(drawn);
            return .{ .bytes = drawn };
        },
        .http => return respond(event),
    }
}

fn describe(context: edge.Context) !Value {
    const fields = context.fields.map;
    const described = try edge.memory.alloc(edge.Entry, fields.len + 1);
    @memcpy(described[1..], fields);
    described[0] = .{ .key = "remainingMs", .value = try Value.from(context.remainingMs()) };
    return .{ .map = described };
}

fn writeLog() Value {
    edge.log(.trace, "trace {d}", .{0});
    edge.log(.debug, "debug {d}", .{1});
    edge.log(.info, "info {d}", .{2});
    edge.log(.warn, "warn {d}", .{3});
    edge.log(.err, "error {d}", .{4});
    return .null;
}

/// The code of a call that was refused; "done" of one that was not.
fn codeOf(result: edge.HostError!u64) []const u8 {
    _ = result catch |refusal| return edge.code(refusal);
    return "done";
}

fn useKv() !Value {
    const store: edge.Store = .{};
    const absent = try store.get("k") == null;
    const created = try store.swap("k", "one", 0);
    const taken = codeOf(store.swap("k", "two", 0));
    const first = (try store.get("k")).?;
    const swapped = try store.swap("k", Value{ .bytes = "\x00\xff" }, created);
    const stale = codeOf(store.swap("k", "three", created));
    const second = (try store.get("k")).?;
    _ = try store.increment("n", 5);
    const sum = try store.increment("n", -2);
    const page = try store.list("", null, null);
    const keys = try edge.memory.alloc(Value, page.entries.len);
    for (page.entries, keys) |entry, *key| key.* = entry.get("key");
    const deleted = try store.delete("k", null);
    const again = try store.delete("k", null);
    return Value.from(.{
        .absent = absent,
        .taken = taken,
        .first = first.value,
        .grows = swapped > created,
        .stale = stale,
        .second = second.value,
        .sum = sum,
        .keys = Value{ .array = keys },
        .deleted = deleted,
        .again = again,
    });
}

fn fetch(event: Value) !Value {
    const fetched = edge.fetch(.{
        .url = event.get("url").asText() orelse "",
        .method = "POST",
        .headers = try Value.from(.{ .@"x-ask" = "why" }),
        .body = event.get("body").asBytes(),
    }) catch |refusal| return Value.from(edge.code(refusal));
    return Value.from(.{
        .status = fetched.status,
        .header = fetched.headers.get("x-kind"),
        .body = Value{ .bytes = fetched.body },
    });
}

fn streamed(event: Value) !Value {
    const response: edge.Response = .{
        .status = 201,
        .content_type = "text/event-stream",
        .headers = &.{.{ .key = "x-kind", .value = .{ .text = "streamed" } }},
        .cookies = &.{"a=1"},
    };
    const stream = try response.start();
    for (event.get("pieces").items()) |piece| {
        try stream.write(piece.asBytes() orelse "");
        edge.sleepMs(30);
    }
    if (event.get("message").asText()) |message|
        return edge.fail(@src(), error.TeapotError, "{s}", .{message});
    return .null;
}

/// An HTTP request's body, header, query and cookies, back as a response.
fn respond(event: Value) !Value {
    const sent = event.get("cookies").items();
    const cookies = try edge.memory.alloc([]const u8, sent.len);
    for (sent, cookies) |cookie, *place|
        place.* = try edge.format("{s}; HttpOnly", .{cookie.asText() orelse ""});
    const response: edge.Response = .{
        .status = 201,
        .content_type = "application/octet-stream",
        .headers = &.{
            .{ .key = "x-answer", .value = .{ .text = edge.header(event, "x-ask") orelse "" } },
            .{ .key = "x-query", .value = .{ .text = edge.query(event, "q") orelse "" } },
        },
        .cookies = cookies,
        .body = try edge.body(event),
    };
    return response.value();
}

comptime {
    edge.handler(answer, .{});
}
