/* echo: gives back what it was given. For tests, for benchmarks, and for looking at an event.
 *
 *     curl 'localhost:8080/echo/any/path?a=1'                  the event, as JSON
 *     curl --data-binary @photo.jpg localhost:8080/echo/body   the body, byte for byte
 */
#include "edge.h"

/* The request's body under its own content type. */
static edge_result body_of(edge_value event) {
    edge_slice type = edge_request_header(event, "content-type");
    type = edge_or(type, "application/octet-stream");
    return edge_respond_with((edge_response){
        .status = 200,
        .headers = (edge_header[]){{"content-type", type}, {0}},
        .body = edge_body(event),
    });
}

/* context goes back too when the event asks for it: {"echo": "context"}. */
static edge_result echo(edge_value event, edge_value context) {
    if (edge_equal(edge_path(event), "/body")) return body_of(event);
    if (edge_equal(edge_text(edge_get(event, "echo")), "context")) return edge_ok(context);
    return edge_ok(event);
}

EDGE_HANDLER(echo)
