//! digest: the body's checksum by an algorithm of Zig's standard library.
//!
//!     curl --data-binary @file 'localhost:8080/zig-digest?algorithm=blake3'

const std = @import("std");
const edge = @import("edge");

const algorithms = .{
    .{ "sha256", std.crypto.hash.sha2.Sha256 },
    .{ "sha3-256", std.crypto.hash.sha3.Sha3_256 },
    .{ "blake2b", std.crypto.hash.blake2.Blake2b256 },
    .{ "blake3", std.crypto.hash.Blake3 },
};

fn digest(event: edge.Value, _: edge.Context) !edge.Response {
    const wanted = edge.query(event, "algorithm") orelse "sha256";
    inline for (algorithms) |algorithm| if (std.mem.eql(u8, wanted, algorithm[0])) {
        var sum: [algorithm[1].digest_length]u8 = undefined;
        algorithm[1].hash(try edge.body(event), &sum, .{});
        return .{ .body = try edge.format("{s}:{x}\n", .{ algorithm[0], sum }) };
    };
    return .{ .status = 400, .body = "algorithm must be sha256, sha3-256, blake2b or blake3\n" };
}

comptime {
    edge.handler(digest, .{});
}
