//! Functions for edge in Zig.
//!
//!     const edge = @import("edge");
//!
//!     fn greet(event: edge.Value, context: edge.Context) ![]const u8 {
//!         _ = context;
//!         return edge.format("Hello, {s}!\n", .{edge.query(event, "name") orelse "world"});
//!     }
//!
//!     comptime {
//!         edge.handler(greet, .{});
//!     }
//!
//! Every event has a fresh instance that is thrown away afterwards, so nothing is ever freed. What
//! `init` leaves in globals is part of the snapshot, and each instance starts with it.

const std = @import("std");
const values = @import("value.zig");
const host = @import("host.zig");

pub const Value = values.Value;
pub const Entry = values.Entry;
pub const memory = values.memory;
pub const encode = values.encode;
pub const decode = values.decode;

pub const HostError = host.HostError;
pub const FetchRequest = host.Request;
pub const Fetched = host.Fetched;
pub const Store = host.Store;
pub const Stream = host.Stream;
pub const call = host.call;
pub const code = host.code;
pub const environment = host.environment;
pub const fetch = host.fetch;
pub const log = host.log;
pub const nowMs = host.nowMs;
pub const random = host.random;
pub const sleepMs = host.sleepMs;

/// Formatted text.
pub fn format(comptime text: []const u8, arguments: anytype) error{OutOfMemory}![]const u8 {
    return std.fmt.allocPrint(memory, text, arguments);
}

/// What the host says about the request beside its event; `fields` has all of docs/abi.md's.
pub const Context = struct {
    fields: Value,

    pub fn text(self: Context, key: []const u8) []const u8 {
        return self.fields.get(key).asText() orelse "";
    }

    pub fn deadlineMs(self: Context) u64 {
        return self.fields.get("deadlineMs").asInt(u64) orelse 0;
    }

    /// How long the request may still take; 0 when its time is up.
    pub fn remainingMs(self: Context) u64 {
        return self.deadlineMs() -| nowMs();
    }
};

// Readers of an HTTP event (API Gateway payload 2.0); null where it has none, on any event.

pub fn method(event: Value) ?[]const u8 {
    return event.get("requestContext").get("http").get("method").asText();
}

pub fn path(event: Value) ?[]const u8 {
    return event.get("rawPath").asText();
}

pub fn query(event: Value, name: []const u8) ?[]const u8 {
    return event.get("queryStringParameters").get(name).asText();
}

/// `name` in lower case.
pub fn header(event: Value, name: []const u8) ?[]const u8 {
    return event.get("headers").get(name).asText();
}

/// The body's bytes, decoded where the event says that it is base64; empty if there is none.
pub fn body(event: Value) ![]const u8 {
    const sent = event.get("body").asBytes() orelse "";
    if (!(event.get("isBase64Encoded").asBool() orelse false)) return sent;
    const decoder = std.base64.standard.Decoder;
    const decoded = try memory.alloc(u8, try decoder.calcSizeForSlice(sent));
    try decoder.decode(decoded, sent);
    return decoded;
}

/// An HTTP response. Each cookie is a whole Set-Cookie value.
pub const Response = struct {
    status: u16 = 200,
    content_type: []const u8 = "text/plain; charset=utf-8",
    headers: []const Entry = &.{},
    cookies: []const []const u8 = &.{},
    body: []const u8 = "",

    pub fn value(self: Response) error{OutOfMemory}!Value {
        return Value.from(.{
            .statusCode = self.status,
            .headers = try self.fields(),
            .cookies = self.cookies,
            .isBase64Encoded = false,
            .body = Value{ .bytes = self.body },
        });
    }

    /// Sends the head now, and the body as a first piece: what is written to the stream follows,
    /// until the handler returns. An error that it returns cuts the response off.
    pub fn start(self: Response) HostError!Stream {
        _ = try host.call(.{
            .op = "response.start",
            .statusCode = self.status,
            .headers = try self.fields(),
            .cookies = self.cookies,
        });
        const stream: Stream = .{};
        if (self.body.len > 0) try stream.write(self.body);
        return stream;
    }

    fn fields(self: Response) error{OutOfMemory}!Value {
        const headers = try memory.alloc(Entry, self.headers.len + 1);
        headers[0] = .{ .key = "content-type", .value = .{ .text = self.content_type } };
        @memcpy(headers[1..], self.headers);
        return .{ .map = headers };
    }
};

const Failure = struct { message: []const u8, place: []const u8 };
var failure: ?Failure = null;

/// `return edge.fail(@src(), error.TeapotError, "no {s}", .{"coffee"})`: the error's name is its
/// type for callers, with a message and the place.
pub fn fail(place: std.builtin.SourceLocation, err: anytype, comptime text: []const u8, arguments: anytype) @TypeOf(err) {
    failure = .{
        .message = format(text, arguments) catch "out of memory",
        .place = format("{s}:{d}:{d} {s}", .{ place.file, place.line, place.column, place.fn_name }) catch "",
    };
    return err;
}

pub const Options = struct {
    /// Runs once, at deploy, before the snapshot.
    init: ?fn () void = null,
};

/// Once in a program, at comptime: `answer(event: Value, context: Context) !T`, where T is a
/// Value, a Response, or anything that `Value.from` takes.
pub fn handler(comptime answer: anytype, comptime options: Options) void {
    const exports = struct {
        fn init() callconv(.c) void {
            values.warm();
            if (options.init) |run| run();
        }

        fn alloc(len: usize) callconv(.c) ?[*]u8 {
            const message = memory.alloc(u8, @max(len, 1)) catch return null;
            return message.ptr;
        }

        fn handle(ptr: [*]const u8, len: usize) callconv(.c) u64 {
            const encoded = respond(answer, ptr[0..len]) catch out_of_memory;
            return @as(u64, @intFromPtr(encoded.ptr)) << 32 | encoded.len;
        }
    };
    @export(&exports.init, .{ .name = "edge_init" });
    @export(&exports.alloc, .{ .name = "edge_alloc" });
    @export(&exports.handle, .{ .name = "edge_handle" });
}

/// What is left when nothing can be built: an error of that type.
const out_of_memory: []const u8 = "\xa1\x65error\xa3\x69errorType\x6bOutOfMemory" ++
    "\x6cerrorMessage\x6eno memory left\x6astackTrace\x80";

fn respond(comptime answer: anytype, message: []const u8) error{OutOfMemory}![]const u8 {
    const envelope = decode(message) catch |err| return failed(err);
    const result = answer(envelope.get("event"), Context{ .fields = envelope.get("context") });
    const value = result catch |err| return failed(err);
    const ok = if (@TypeOf(value) == Response) try value.value() else try Value.from(value);
    return encode(.{ .map = &.{.{ .key = "ok", .value = ok }} });
}

fn failed(err: anyerror) error{OutOfMemory}![]const u8 {
    const told = failure orelse Failure{ .message = host.last_refusal, .place = "" };
    const trace: []const []const u8 = if (told.place.len > 0) &.{told.place} else &.{};
    return encode(try Value.from(.{ .@"error" = .{
        .errorType = @as([]const u8, @errorName(err)),
        .errorMessage = told.message,
        .stackTrace = trace,
    } }));
}
