/* calls: makes the host call that the event names through the SDK's typed function, and returns
 * everything that came back, so that a test sees both the request on the wire and the answer in C.
 */
#include "edge.h"

static edge_slice text_of(edge_value event, const char *key) {
    return edge_text(edge_get(event, key));
}

static const char *space_of(edge_value event) {
    edge_slice space = text_of(event, "namespace");
    return space.ptr ? edge_format("%.*s%c", EDGE_FMT(space), 0).ptr : NULL;
}

static void put_error(edge_writer *out, edge_error error) {
    edge_put_int(out, "code", error.code);
    edge_put_text(out, "name", error.name);
    edge_put_text(out, "message", error.message);
}

static void put_written(edge_writer *out, edge_kv_written written) {
    put_error(out, written.error);
    edge_put_uint(out, "version", written.version);
    edge_put_int(out, "value", written.value);
}

static void put_deleted(edge_writer *out, edge_kv_deleted deleted) {
    put_error(out, deleted.error);
    edge_put_bool(out, "deleted", deleted.deleted);
}

static void put_entry(edge_writer *out, edge_kv_entry entry) {
    put_error(out, entry.error);
    edge_put_bool(out, "found", entry.found);
    edge_put_value(out, "value", entry.value);
    edge_put_uint(out, "version", entry.version);
    edge_put_int(out, "expiresMs", entry.expires_ms);
}

static void put_page(edge_writer *out, edge_kv_page page) {
    put_error(out, page.error);
    edge_put_value(out, "entries", page.entries);
    edge_put_bool(out, "more", page.next.ptr != NULL);
    edge_put_text(out, "next", page.next);
}

static void put_fetched(edge_writer *out, edge_fetched fetched) {
    put_error(out, fetched.error);
    edge_put_int(out, "status", fetched.status);
    edge_put_value(out, "headers", fetched.headers);
    edge_put_bytes(out, "body", fetched.body);
    edge_put_text(out, "url", fetched.url);
}

static void make_call(edge_writer *out, edge_slice op, edge_value event) {
    const char *space = space_of(event);
    edge_slice key = text_of(event, "key");
    edge_value value = edge_get(event, "value");
    uint64_t ttl_ms = edge_uint(edge_get(event, "ttlMs"), 0);
    uint64_t version = edge_uint(edge_get(event, "version"), 0);
    if (edge_equal(op, "get")) put_entry(out, edge_kv_get(space, key));
    if (edge_equal(op, "put")) put_written(out, edge_kv_put(space, key, value, ttl_ms));
    if (edge_equal(op, "swap")) put_written(out, edge_kv_swap(space, key, value, ttl_ms, version));
    if (edge_equal(op, "increment"))
        put_written(out, edge_kv_increment(space, key, edge_int(value, 1), ttl_ms));
    if (edge_equal(op, "delete")) put_deleted(out, edge_kv_delete(space, key));
    if (edge_equal(op, "delete_if")) put_deleted(out, edge_kv_delete_if(space, key, version));
    if (edge_equal(op, "list"))
        put_page(out, edge_kv_list(space, text_of(event, "prefix"), text_of(event, "after"),
                                   (uint32_t)edge_uint(edge_get(event, "limit"), 0)));
    if (edge_equal(op, "fetch"))
        put_fetched(out, edge_fetch((edge_fetch_request){
            .url = text_of(event, "url"),
            .method = edge_get(event, "body").at ? "POST" : NULL,
            .headers = edge_get(event, "body").at
                ? (edge_header[]){{"x-one", edge_str("1")}, {"x-two", edge_str("2")}, {0}} : NULL,
            .body = edge_bytes(edge_get(event, "body")),
            .timeout_ms = (uint32_t)edge_uint(edge_get(event, "timeoutMs"), 0),
        }));
}

static edge_result calls(edge_value event, edge_value context) {
    edge_slice op = text_of(event, "op");
    if (edge_equal(op, "log")) {
        for (edge_level level = EDGE_TRACE; level <= EDGE_ERROR; level++)
            edge_log(level, "level %d of %s", (int)level, "five");
        return edge_ok(edge_of_int(0));
    }
    if (edge_equal(op, "remaining")) return edge_ok(edge_of_int(edge_remaining_ms(context)));
    if (edge_equal(op, "respond"))
        return edge_respond_with((edge_response){
            .status = 201,
            .content_type = "text/html",
            .headers = (edge_header[]){{"x-a", edge_str("b")}, {"x-c", edge_str("d")}, {0}},
            .cookies = (const char *const[]){"a=1; HttpOnly", "b=2", NULL},
            .body = edge_slice_of("\x00\xff" "binary", 8),
        });
    if (edge_equal(op, "fail")) return edge_fail("Calls.Asked", "as you asked: %d", 7);
    edge_writer out = {0};
    edge_write_map(&out);
    make_call(&out, op, event);
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(calls)
