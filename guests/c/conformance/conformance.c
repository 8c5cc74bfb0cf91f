/* The conformance guest: does what tests/languages/cases.py asks of every language. */
#define _GNU_SOURCE /* nanosleep and getentropy */
#include "edge.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { COOKIES_MAX = 16 };

/* A zero-terminated copy. */
static char *c_string(edge_slice text) {
    return (char *)edge_format("%.*s%c", EDGE_FMT(text), 0).ptr;
}

static edge_result code(edge_error error) {
    return edge_ok(edge_of_text(error.code ? error.name : edge_str("granted")));
}

static edge_result describe(edge_value context) {
    edge_writer out = {0};
    edge_write_map(&out);
    for (edge_iter it = edge_iterate(context); edge_next(&it);) {
        edge_write_value(&out, it.key);
        edge_write_value(&out, it.value);
    }
    edge_put_int(&out, "remainingMs", edge_remaining_ms(context));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result write_log(void) {
    static const char *const names[] = {"trace", "debug", "info", "warn", "error"};
    for (int level = EDGE_TRACE; level <= EDGE_ERROR; level++)
        edge_log((edge_level)level, "%s %d", names[level], level);
    edge_writer out = {0};
    edge_write_null(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result use_kv(void) {
    edge_slice k = edge_str("k"), n = edge_str("n"), none = {NULL, 0};
    edge_value one = edge_of_text(edge_str("one"));
    edge_kv_entry absent = edge_kv_get(NULL, k);
    edge_kv_written created = edge_kv_swap(NULL, k, one, 0, 0);
    edge_kv_written taken = edge_kv_swap(NULL, k, one, 0, 0);
    edge_kv_entry first = edge_kv_get(NULL, k);
    edge_kv_written swapped =
        edge_kv_swap(NULL, k, edge_of_bytes(edge_slice_of("\0\xff", 2)), 0, created.version);
    edge_kv_written stale = edge_kv_swap(NULL, k, one, 0, created.version);
    edge_kv_entry second = edge_kv_get(NULL, k);
    edge_kv_increment(NULL, n, 5, 0);
    edge_kv_written sum = edge_kv_increment(NULL, n, -2, 0);
    edge_kv_page page = edge_kv_list(NULL, none, none, 0);
    edge_kv_deleted deleted = edge_kv_delete(NULL, k), again = edge_kv_delete(NULL, k);

    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_bool(&out, "absent", !absent.found);
    edge_put_text(&out, "taken", taken.error.name);
    edge_put_value(&out, "first", first.value);
    edge_put_bool(&out, "grows", swapped.version > created.version);
    edge_put_text(&out, "stale", stale.error.name);
    edge_put_value(&out, "second", second.value);
    edge_put_int(&out, "sum", sum.value);
    edge_write_key(&out, "keys");
    edge_write_array(&out);
    for (edge_iter it = edge_iterate(page.entries); edge_next(&it);)
        edge_write_value(&out, edge_get(it.value, "key"));
    edge_write_end(&out);
    edge_put_bool(&out, "deleted", deleted.deleted);
    edge_put_bool(&out, "again", again.deleted);
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result fetch(edge_value event) {
    edge_fetched answer = edge_fetch((edge_fetch_request){
        .url = edge_text(edge_get(event, "url")),
        .method = "POST",
        .headers = (edge_header[]){{"x-ask", edge_str("why")}, {0}},
        .body = edge_bytes(edge_get(event, "body")),
    });
    if (answer.error.code) return code(answer.error);
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_int(&out, "status", answer.status);
    edge_put_value(&out, "header", edge_get(answer.headers, "x-kind"));
    edge_put_bytes(&out, "body", answer.body);
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result stream(edge_value event) {
    edge_response_start((edge_response){
        .status = 201,
        .content_type = "text/event-stream",
        .headers = (edge_header[]){{"x-kind", edge_str("streamed")}, {0}},
        .cookies = (const char *const[]){"a=1", NULL},
    });
    edge_value pieces = edge_get(event, "pieces");
    for (edge_iter it = edge_iterate(pieces); edge_next(&it);) {
        edge_slice piece = edge_bytes(it.value);
        edge_response_write(piece.ptr, piece.len);
        nanosleep(&(struct timespec){.tv_nsec = 30 * 1000000}, NULL);
    }
    edge_slice message = edge_text(edge_get(event, "message"));
    return message.ptr ? edge_fail("TeapotError", "%.*s", EDGE_FMT(message)) : edge_streamed();
}

static edge_result slept(int64_t duration_ms) {
    int64_t began_ms = edge_now_ms();
    struct timespec duration = {duration_ms / 1000, duration_ms % 1000 * 1000000};
    nanosleep(&duration, NULL);
    return edge_ok(edge_of_int(edge_now_ms() - began_ms));
}

static edge_result variable(edge_slice name) {
    const char *value = getenv(c_string(name));
    edge_writer out = {0};
    if (value) edge_write_text(&out, edge_str(value));
    else edge_write_null(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result draw(void) {
    char bytes[16];
    if (getentropy(bytes, sizeof bytes) != 0) return edge_fail("EntropyError", "none to be had");
    return edge_ok(edge_of_bytes(edge_slice_of(bytes, sizeof bytes)));
}

/* An HTTP request's body, header, query and cookies, back as a response. */
static edge_result respond(edge_value event) {
    const char *cookies[COOKIES_MAX + 1] = {0};
    int count = 0;
    edge_value sent = edge_get(event, "cookies");
    for (edge_iter it = edge_iterate(sent); count < COOKIES_MAX && edge_next(&it);) {
        edge_slice cookie = edge_text(it.value);
        cookies[count++] = c_string(edge_format("%.*s; HttpOnly", EDGE_FMT(cookie)));
    }
    return edge_respond_with((edge_response){
        .status = 201,
        .content_type = "application/octet-stream",
        .headers = (edge_header[]){{"x-answer", edge_request_header(event, "x-ask")},
                                   {"x-query", edge_query(event, "q")},
                                   {0}},
        .cookies = cookies,
        .body = edge_body(event),
    });
}

static edge_result answer(edge_value event, edge_value context) {
    edge_slice name = edge_text(edge_get(event, "case"));
    if (edge_equal(name, "echo")) return edge_ok(edge_get(event, "value"));
    if (edge_equal(name, "error"))
        return edge_fail("TeapotError", "%.*s", EDGE_FMT(edge_text(edge_get(event, "message"))));
    if (edge_equal(name, "context")) return describe(context);
    if (edge_equal(name, "log")) return write_log();
    if (edge_equal(name, "kv")) return use_kv();
    if (edge_equal(name, "kv.get")) return code(edge_kv_get(NULL, edge_str("key")).error);
    if (edge_equal(name, "fetch")) return fetch(event);
    if (edge_equal(name, "stream")) return stream(event);
    if (edge_equal(name, "sleep")) return slept(edge_int(edge_get(event, "ms"), 0));
    if (edge_equal(name, "environment")) return variable(edge_text(edge_get(event, "name")));
    if (edge_equal(name, "random")) return draw();
    return respond(event);
}

EDGE_HANDLER(answer)
