//! Host calls: the log, the key-value store, outbound HTTP, and what WASI has.

const std = @import("std");
const values = @import("value.zig");
const Value = values.Value;
const memory = values.memory;
const wasi = std.os.wasi;

const import = struct {
    extern "edge" fn log(level: i32, ptr: [*]const u8, len: usize) void;
    extern "edge" fn call(ptr: [*]const u8, len: usize) i32;
    extern "edge" fn take(ptr: [*]u8) void;
};

pub const Level = enum(i32) { trace, debug, info, warn, err };

/// One line in the function's log.
pub fn log(level: Level, comptime format: []const u8, arguments: anytype) void {
    const line = std.fmt.allocPrint(memory, format, arguments) catch return;
    import.log(@backingInt(level), line.ptr, line.len);
    memory.free(line);
}

/// Why a host call failed, as docs/abi.md lists it. `last_refusal` has the host's message.
pub const HostError = error{
    Denied,
    InvalidRequest,
    Conflict,
    TooLarge,
    Timeout,
    Unreachable,
    Quota,
    Unavailable,
    OutOfMemory,
};
pub var last_refusal: []const u8 = "";

const codes = .{
    .{ "denied", error.Denied },     .{ "invalid_request", error.InvalidRequest },
    .{ "conflict", error.Conflict }, .{ "too_large", error.TooLarge },
    .{ "timeout", error.Timeout },   .{ "unreachable", error.Unreachable },
    .{ "quota", error.Quota },       .{ "unavailable", error.Unavailable },
};

/// The code of a host call's error, as the host spells it.
pub fn code(refusal: HostError) []const u8 {
    inline for (codes) |pair| if (refusal == pair[1]) return pair[0];
    return "unavailable";
}

/// Makes any host call: `request` is a map with a text `op`, or a struct that becomes one; fields
/// that are null are left out. The typed calls are made of it.
pub fn call(request: anytype) HostError!Value {
    const encoded = try values.encode(withoutNulls(try Value.from(request)));
    return answerOf(import.call(encoded.ptr, encoded.len));
}

/// The answer that the host has ready, of so many bytes.
fn answerOf(len: i32) HostError!Value {
    const message = try memory.alloc(u8, std.math.cast(usize, len) orelse return error.Unavailable);
    import.take(message.ptr);
    const answer = values.decode(message) catch return error.Unavailable;
    const refusal = answer.get("error");
    if (refusal == .null) return answer.get("ok");
    last_refusal = refusal.get("message").asText() orelse "";
    const name = refusal.get("code").asText() orelse "";
    inline for (codes) |pair| if (std.mem.eql(u8, name, pair[0])) return pair[1];
    return error.Unavailable;
}

fn withoutNulls(request: Value) Value {
    if (request != .map) return request;
    const kept = memory.alloc(values.Entry, request.map.len) catch return request;
    var count: usize = 0;
    for (request.map) |entry| if (entry.value != .null or std.mem.eql(u8, entry.key, "value")) {
        kept[count] = entry;
        count += 1;
    };
    return .{ .map = kept[0..count] };
}

/// A namespace of the key-value store; null is the function's own. A version grows with each write
/// of its key and is never used twice; 0 stands for an absent key.
pub const Store = struct {
    namespace: ?[]const u8 = null,

    pub const Found = struct { value: Value, version: u64 };
    pub const Put = struct { ttl_ms: ?u64 = null, if_version: ?u64 = null };
    pub const Page = struct { entries: []const Value, next: ?[]const u8 };

    /// What a key holds; null when it is absent.
    pub fn get(self: Store, key: []const u8) HostError!?Found {
        const entry = try call(.{ .op = "kv.get", .namespace = self.namespace, .key = key });
        if (entry == .null) return null;
        return .{ .value = entry.get("value"), .version = entry.get("version").asInt(u64) orelse 0 };
    }

    /// Writes; the version written.
    pub fn put(self: Store, key: []const u8, value: anytype, how: Put) HostError!u64 {
        const written = try call(.{
            .op = "kv.put",
            .namespace = self.namespace,
            .key = key,
            .value = try Value.from(value),
            .ttlMs = how.ttl_ms,
            .ifVersion = how.if_version,
        });
        return written.get("version").asInt(u64) orelse 0;
    }

    /// Compare-and-set: error.Conflict unless `version` still stands (0: the key is absent).
    pub fn swap(self: Store, key: []const u8, value: anytype, version: u64) HostError!u64 {
        return self.put(key, value, .{ .if_version = version });
    }

    /// Adds to an integer in one step that no other request can come between; the sum.
    pub fn increment(self: Store, key: []const u8, by: i64) HostError!i64 {
        const request = .{ .op = "kv.increment", .namespace = self.namespace, .key = key, .by = by };
        return (try call(request)).get("value").asInt(i64) orelse 0;
    }

    /// Deletes, if `version` still stands where one is given; whether there was anything.
    pub fn delete(self: Store, key: []const u8, version: ?u64) HostError!bool {
        const request = .{ .op = "kv.delete", .namespace = self.namespace, .key = key, .ifVersion = version };
        return (try call(request)).get("deleted").asBool() orelse false;
    }

    /// Maps of `key` and `version`: those with a prefix, after a cursor, at most `limit` (null: 100).
    pub fn list(self: Store, prefix: []const u8, after: ?[]const u8, limit: ?u32) HostError!Page {
        const page = try call(.{
            .op = "kv.list",
            .namespace = self.namespace,
            .prefix = prefix,
            .after = after,
            .limit = limit,
        });
        return .{ .entries = page.get("entries").items(), .next = page.get("next").asText() };
    }
};

/// Outbound HTTP, to a host that was granted. Headers are a struct: `.{ .accept = "text/plain" }`.
pub const Request = struct {
    url: []const u8,
    method: []const u8 = "GET",
    headers: Value = .null,
    body: ?[]const u8 = null,
    timeout_ms: ?u32 = null,
};

/// A status such as 404 is an answer too. Header names are in lower case.
pub const Fetched = struct { status: u16, headers: Value, body: []const u8, url: []const u8 };

pub fn fetch(request: Request) HostError!Fetched {
    const answer = try call(.{
        .op = "fetch",
        .url = request.url,
        .method = request.method,
        .headers = request.headers,
        .body = if (request.body) |body| Value{ .bytes = body } else Value.null,
        .timeoutMs = request.timeout_ms,
    });
    return .{
        .status = answer.get("status").asInt(u16) orelse 0,
        .headers = answer.get("headers"),
        .body = answer.get("body").asBytes() orelse "",
        .url = answer.get("url").asText() orelse "",
    };
}

/// A response that leaves while it is written; `Response.start` makes one.
pub const Stream = struct {
    /// Writes a piece; returns when the host has it. Its memory is given back, so that a response
    /// may be longer than the function has memory for.
    pub fn write(_: Stream, piece: []const u8) HostError!void {
        const before = "\xa2\x62op\x6eresponse.write\x64data\x5a"; // four bytes of length follow
        const len = std.math.cast(u32, piece.len) orelse return error.TooLarge;
        const request = try memory.alloc(u8, before.len + 4 + piece.len);
        defer memory.free(request);
        @memcpy(request[0..before.len], before);
        std.mem.writeInt(u32, request[before.len..][0..4], len, .big);
        @memcpy(request[before.len + 4 ..], piece);
        const size = import.call(request.ptr, request.len);
        var answer: [done.len]u8 = undefined;
        if (size != done.len) return if (answerOf(size)) |_| {} else |refusal| refusal;
        import.take(&answer);
        if (!std.mem.eql(u8, &answer, done)) return error.Unavailable;
    }

    /// Writes formatted text.
    pub fn print(self: Stream, comptime format: []const u8, arguments: anytype) HostError!void {
        const text = try std.fmt.allocPrint(memory, format, arguments);
        defer memory.free(text);
        try self.write(text);
    }

    const done = "\xa1\x62ok\xf6";
};

/// Unix time.
pub fn nowMs() u64 {
    var time_ns: u64 = 0;
    _ = wasi.clock_time_get(.REALTIME, std.time.ns_per_ms, &time_ns);
    return time_ns / std.time.ns_per_ms;
}

/// Waits without holding anything of the host, at most to the deadline.
pub fn sleepMs(duration_ms: u64) void {
    const subscription: wasi.subscription_t = .{ .userdata = 0, .u = .{
        .tag = .CLOCK,
        .u = .{ .clock = .{
            .id = .MONOTONIC,
            .timeout = duration_ms *| std.time.ns_per_ms,
            .precision = 0,
            .flags = 0,
        } },
    } };
    var event: wasi.event_t = undefined;
    var done: usize = 0;
    _ = wasi.poll_oneoff(&subscription, &event, 1, &done);
}

/// Fresh random bytes, fit for keys. What `init` draws every request shares.
pub fn random(bytes: []u8) void {
    if (wasi.random_get(bytes.ptr, bytes.len) != .SUCCESS) @panic("the host has no randomness");
}

/// A variable of the function's environment.
pub fn environment(name: []const u8) ?[]const u8 {
    var count: usize = 0;
    var size: usize = 0;
    if (wasi.environ_sizes_get(&count, &size) != .SUCCESS) return null;
    const entries = memory.alloc([*:0]u8, count) catch return null;
    const bytes = memory.alloc(u8, size) catch return null;
    if (wasi.environ_get(entries.ptr, bytes.ptr) != .SUCCESS) return null;
    for (entries) |entry| {
        const text = std.mem.span(entry);
        const end = std.mem.findScalar(u8, text, '=') orelse continue;
        if (std.mem.eql(u8, text[0..end], name)) return text[end + 1 ..];
    }
    return null;
}
