/* actor: does what the path says, so that a test can have any ending it wants.
 *
 *     /return   the value whose CBOR is the body      /context  the context
 *     /fail     a function error                      /log      logs the body, a line at a time
 *     /trap     a trap                                /sleep    sleeps as many ms as the body says
 *     /loop     never ends                        /stream   a head, the body twice, and an error
 *                                                           when the body says so: "fail"
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "edge.h"

static edge_result sleep_for(edge_slice digits) {
    long ms = 0;
    for (size_t i = 0; i < digits.len; i++) ms = ms * 10 + (digits.ptr[i] - '0');
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    return edge_respond_text(200, "slept");
}

static edge_result stream(edge_slice body) {
    edge_response_start((edge_response){.status = 201, .content_type = "text/x", .body = body});
    edge_response_write(body.ptr, body.len);
    return edge_equal(body, "fail") ? edge_fail("LateError", "a part has left") : edge_streamed();
}

static edge_result loop(void) {
    for (volatile unsigned turns = 0;; turns++) continue;
}

static edge_result actor(edge_value event, edge_value context) {
    edge_slice path = edge_path(event), body = edge_body(event);
    if (edge_equal(path, "/return")) return edge_ok(edge_decode(body.ptr, body.len));
    if (edge_equal(path, "/context")) return edge_ok(context);
    if (edge_equal(path, "/fail")) return edge_fail("SecretError", "a secret: %.*s", EDGE_FMT(body));
    if (edge_equal(path, "/trap")) __builtin_trap();
    if (edge_equal(path, "/sleep")) return sleep_for(body);
    if (edge_equal(path, "/stream")) return stream(body);
    if (edge_equal(path, "/loop")) return loop();
    edge_log(EDGE_INFO, "%.*s", EDGE_FMT(body));
    return edge_respond_text(200, "logged");
}

EDGE_HANDLER(actor)
