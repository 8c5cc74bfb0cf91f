//! A value as it travels: what JSON has, and byte strings. Its CBOR (RFC 8949) in both directions.
//!
//! Text and bytes that were read are views of the message they came in. Nothing is freed: memory
//! goes with the instance, which answers one event.

const std = @import("std");

/// One arena: what a small request needs is one block, which `warm` puts into the snapshot.
var arena: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);
pub const memory = arena.allocator();
const warm_bytes = 64 * 1024;

/// Makes the arena's first block before any request does: growing memory is slow.
pub fn warm() void {
    _ = memory.alloc(u8, warm_bytes) catch return;
    _ = arena.reset(.retain_capacity);
}

pub const depth_max = 64;

pub const Entry = struct { key: []const u8, value: Value };

pub const Value = union(enum) {
    null,
    bool: bool,
    int: i128,
    float: f64,
    text: []const u8,
    bytes: []const u8,
    array: []const Value,
    map: []const Entry,

    /// Any Zig value as one: numbers, booleans, optionals, text, structs as maps, tuples and slices
    /// as arrays. Bytes that are no text are `Value{ .bytes = … }`.
    pub fn from(any: anytype) error{OutOfMemory}!Value {
        const T = @TypeOf(any);
        if (T == Value) return any;
        switch (@typeInfo(T)) {
            .null => return .null,
            .void => return .null,
            .bool => return .{ .bool = any },
            .int, .comptime_int => return .{ .int = any },
            .float, .comptime_float => return .{ .float = any },
            .optional => return if (any) |value| from(value) else .null,
            .pointer => |pointer| {
                if (pointer.size == .one) return fromArray(any);
                if (pointer.child == u8) return .{ .text = any };
                const array = try memory.alloc(Value, any.len);
                for (any, array) |item, *place| place.* = try from(item);
                return .{ .array = array };
            },
            .@"struct" => return fromStruct(any),
            else => @compileError(@typeName(T) ++ " is no value"),
        }
    }

    fn fromArray(any: anytype) error{OutOfMemory}!Value {
        const array = @typeInfo(@typeInfo(@TypeOf(any)).pointer.child).array;
        return from(@as([]const array.child, any));
    }

    fn fromStruct(any: anytype) error{OutOfMemory}!Value {
        const T = @TypeOf(any);
        const names = comptime std.meta.fieldNames(T);
        const is_tuple = @typeInfo(T).@"struct".is_tuple;
        const fields = try memory.alloc(if (is_tuple) Value else Entry, names.len);
        inline for (names, 0..) |name, place| {
            const value = try from(@field(any, name));
            fields[place] = if (is_tuple) value else .{ .key = name, .value = value };
        }
        return if (is_tuple) .{ .array = fields } else .{ .map = fields };
    }

    /// The value under a key; null if there is none, or if this is no map, so that lookups chain.
    pub fn get(self: Value, key: []const u8) Value {
        if (self == .map) for (self.map) |entry| {
            if (std.mem.eql(u8, entry.key, key)) return entry.value;
        };
        return .null;
    }

    pub fn asText(self: Value) ?[]const u8 {
        return if (self == .text) self.text else null;
    }

    /// A byte string, or text as its bytes.
    pub fn asBytes(self: Value) ?[]const u8 {
        return if (self == .bytes) self.bytes else self.asText();
    }

    /// An integer that fits.
    pub fn asInt(self: Value, comptime T: type) ?T {
        return if (self == .int) std.math.cast(T, self.int) else null;
    }

    pub fn asBool(self: Value) ?bool {
        return if (self == .bool) self.bool else null;
    }

    /// The items of an array; none of any other kind.
    pub fn items(self: Value) []const Value {
        return if (self == .array) self.array else &.{};
    }
};

const major = struct {
    const bytes = 2;
    const text = 3;
    const array = 4;
    const map = 5;
    const tag = 6;
    const simple = 7;
};
const indefinite = 31;
const break_byte = 0xff;

pub fn encode(value: Value) error{OutOfMemory}![]u8 {
    var out: std.ArrayList(u8) = .empty;
    try write(&out, value);
    return out.items;
}

fn writeHead(out: *std.ArrayList(u8), kind: u8, argument: u64) !void {
    var encoded: [9]u8 = undefined;
    std.mem.writeInt(u64, encoded[1..9], argument, .big);
    const log2: u8 = if (argument < 24) {
        return out.append(memory, kind << 5 | @as(u8, @intCast(argument)));
    } else if (argument <= 0xff) 0 else if (argument <= 0xffff) 1 else if (argument <= 0xffff_ffff) 2 else 3;
    const start = 8 - (@as(usize, 1) << @intCast(log2));
    encoded[start] = kind << 5 | (24 + log2);
    try out.appendSlice(memory, encoded[start..]);
}

fn write(out: *std.ArrayList(u8), value: Value) error{OutOfMemory}!void {
    switch (value) {
        .null => try out.append(memory, 0xf6),
        .bool => |flag| try out.append(memory, if (flag) 0xf5 else 0xf4),
        .int => |number| if (number >= 0)
            try writeHead(out, 0, @intCast(number))
        else
            try writeHead(out, 1, @intCast(-1 - number)),
        .float => |number| {
            var encoded: [9]u8 = @splat(0xfb);
            std.mem.writeInt(u64, encoded[1..], @bitCast(number), .big);
            try out.appendSlice(memory, &encoded);
        },
        .text => |text| {
            try writeHead(out, major.text, text.len);
            try out.appendSlice(memory, text);
        },
        .bytes => |bytes| {
            try writeHead(out, major.bytes, bytes.len);
            try out.appendSlice(memory, bytes);
        },
        .array => |array| {
            try writeHead(out, major.array, array.len);
            for (array) |item| try write(out, item);
        },
        .map => |entries| {
            try writeHead(out, major.map, entries.len);
            for (entries) |entry| {
                try write(out, .{ .text = entry.key });
                try write(out, entry.value);
            }
        },
    }
}

pub const DecodeError = error{ Malformed, OutOfMemory };

/// The one value in `message`, whose bytes must stay: text and bytes are views of them.
pub fn decode(message: []const u8) DecodeError!Value {
    var reader: Reader = .{ .rest = message };
    const value = try reader.read(0);
    return if (reader.rest.len == 0) value else error.Malformed;
}

const Head = struct { kind: u8, info: u8, argument: u64 };

const Reader = struct {
    rest: []const u8,

    fn take(self: *Reader, len: u64) DecodeError![]const u8 {
        if (len > self.rest.len) return error.Malformed;
        defer self.rest = self.rest[@intCast(len)..];
        return self.rest[0..@intCast(len)];
    }

    fn head(self: *Reader) DecodeError!Head {
        const first = (try self.take(1))[0];
        const info = first & 31;
        var argument: u64 = info;
        if (info > 27 and info != indefinite) return error.Malformed;
        if (info >= 24 and info <= 27) {
            argument = 0;
            const size = @as(u64, 1) << @intCast(info - 24);
            for (try self.take(size)) |byte| argument = argument << 8 | byte;
        }
        return .{ .kind = first >> 5, .info = info, .argument = argument };
    }

    /// Whether the container goes on: by its count, or until the break where it has none.
    fn goesOn(self: *Reader, from: Head, done: u64) DecodeError!bool {
        if (from.info != indefinite) return done < from.argument;
        if (self.rest.len == 0) return error.Malformed;
        if (self.rest[0] != break_byte) return true;
        _ = try self.take(1);
        return false;
    }

    fn string(self: *Reader, from: Head) DecodeError![]const u8 {
        if (from.info != indefinite) return self.take(from.argument);
        var joined: std.ArrayList(u8) = .empty;
        while (try self.goesOn(from, 0)) {
            const chunk = try self.head();
            if (chunk.kind != from.kind or chunk.info == indefinite) return error.Malformed;
            try joined.appendSlice(memory, try self.take(chunk.argument));
        }
        return joined.items;
    }

    fn read(self: *Reader, depth: usize) DecodeError!Value {
        if (depth > depth_max) return error.Malformed;
        const item = try self.head();
        switch (item.kind) {
            major.bytes => return .{ .bytes = try self.string(item) },
            major.text => return .{ .text = try self.string(item) },
            major.array => {
                var array: std.ArrayList(Value) = .empty;
                while (try self.goesOn(item, array.items.len))
                    try array.append(memory, try self.read(depth + 1));
                return .{ .array = array.items };
            },
            major.map => {
                var entries: std.ArrayList(Entry) = .empty;
                while (try self.goesOn(item, entries.items.len)) {
                    const key = try self.head();
                    if (key.kind != major.text) return error.Malformed;
                    const text = try self.string(key);
                    try entries.append(memory, .{ .key = text, .value = try self.read(depth + 1) });
                }
                return .{ .map = entries.items };
            },
            else => {},
        }
        if (item.info == indefinite) return error.Malformed;
        return switch (item.kind) {
            major.tag => self.read(depth + 1),
            major.simple => simple(item),
            0 => .{ .int = item.argument },
            else => .{ .int = -1 - @as(i128, item.argument) },
        };
    }
};

fn simple(item: Head) Value {
    return switch (item.info) {
        20, 21 => .{ .bool = item.info == 21 },
        25 => .{ .float = @as(f16, @bitCast(@as(u16, @truncate(item.argument)))) },
        26 => .{ .float = @as(f32, @bitCast(@as(u32, @truncate(item.argument)))) },
        27 => .{ .float = @bitCast(item.argument) },
        else => .null,
    };
}
