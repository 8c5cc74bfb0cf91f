/* streamer: writes its answer piece by piece, and ends it as the path says.
 *
 *     /count     as many lines as the query says (n=), a head first
 *     /bare      a piece without a head          /twice    a second head, and what it is told
 *     /until     two pieces, the second after a request to /go
 *     /odd       a head with whatever the body holds
 *     /big       n pieces of 64 KiB              /empty    a head and nothing
 *     /fail, /trap           after a head, a piece, and n ms
 *     /early     fails before any piece left
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "edge.h"

static edge_error start(int status) {
    return edge_response_start((edge_response){
        .status = status,
        .content_type = "text/event-stream",
        .headers = (edge_header[]){{"x-kind", edge_str("streamed")}, {0}},
        .cookies = (const char *const[]){"a=1", "b=2", NULL},
    });
}

static edge_error say(const char *text) {
    return edge_response_write(text, __builtin_strlen(text));
}

static int number(edge_slice digits) {
    int value = 0;
    for (size_t i = 0; i < digits.len; i++) value = value * 10 + (digits.ptr[i] - '0');
    return value;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static edge_result big(int pieces) {
    static char piece[65536];
    for (int i = 0; i < pieces; i++) {
        __builtin_memset(piece, 'a' + i % 26, sizeof piece);
        edge_error error = edge_response_write(piece, sizeof piece);
        if (error.code) edge_log(EDGE_INFO, "%.*s", EDGE_FMT(error.name));
    }
    return edge_streamed();
}

static edge_result streamer(edge_value event, edge_value context) {
    (void)context;
    edge_slice path = edge_path(event);
    int n = number(edge_query(event, "n"));
    if (edge_equal(path, "/bare")) {
        say("just ");
        say("bytes");
        return edge_ok(edge_of_int(7)); /* and this is not sent */
    }
    if (edge_equal(path, "/big")) return big(n);
    if (edge_equal(path, "/go"))
        return edge_fail_with(edge_kv_put(NULL, edge_str("go"), edge_of_int(1), 0).error);
    if (edge_equal(path, "/odd")) {
        edge_error error = edge_response_start((edge_response){
            .status = 200, .headers = (edge_header[]){{"x-odd", edge_body(event)}, {0}}});
        return error.code ? edge_ok(edge_of_text(error.name)) : edge_streamed();
    }
    start(201);
    if (edge_equal(path, "/early")) return edge_fail("EarlyError", "before a piece");
    if (edge_equal(path, "/twice")) {
        edge_error error = start(202);
        edge_response_write(error.name.ptr, error.name.len);
    }
    if (edge_equal(path, "/count"))
        for (int i = 0; i < n; i++) {
            edge_slice line = edge_format("line %d\n", i);
            edge_response_write(line.ptr, line.len);
        }
    if (edge_equal(path, "/until")) {
        say("first ");
        while (!edge_kv_get(NULL, edge_str("go")).found) pause_ms(5);
        edge_kv_delete(NULL, edge_str("go"));
        say("second");
    }
    if (edge_equal(path, "/fail") || edge_equal(path, "/trap")) {
        say("a part");
        pause_ms(n);
    }
    if (edge_equal(path, "/fail")) return edge_fail("LateError", "after a piece");
    if (edge_equal(path, "/trap")) __builtin_trap();
    return edge_streamed();
}

EDGE_HANDLER(streamer)
