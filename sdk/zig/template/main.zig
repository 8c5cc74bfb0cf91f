//! Greets, with a name from the query or the path.

const std = @import("std");
const edge = @import("edge");

fn hello(event: edge.Value, context: edge.Context) !edge.Value {
    const path = std.mem.trimStart(u8, edge.path(event) orelse "", "/");
    const name = edge.query(event, "name") orelse if (path.len > 0) path else "world";
    return edge.Value.from(.{
        .message = try edge.format("Hello, {s}!", .{name}),
        .function = context.text("functionName"),
        .version = context.text("functionVersion"),
    });
}

comptime {
    edge.handler(hello, .{});
}
