/* hello: greets whom the path or the query names, as JSON.
 *
 *     curl localhost:8080/hello                 {"message": "Hello, world!", …}
 *     curl localhost:8080/hello/Ada
 *     curl 'localhost:8080/hello?name=Ada'
 *
 * A result without statusCode is the response's body, so a map is all that a JSON answer takes.
 */
#include "edge.h"

/* "/Ada" names Ada; the query comes first, and without both it is the world. */
static edge_slice name_of(edge_value event) {
    edge_slice name = edge_query(event, "name"), path = edge_path(event);
    if (!name.len && path.len > 1) name = edge_unescape(edge_slice_of(path.ptr + 1, path.len - 1));
    return edge_or(name, "world");
}

static edge_result hello(edge_value event, edge_value context) {
    edge_slice name = name_of(event);
    edge_log(EDGE_DEBUG, "greeting %.*s", EDGE_FMT(name));

    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "message", edge_format("Hello, %.*s!", EDGE_FMT(name)));
    edge_put_value(&out, "function", edge_get(context, "functionName"));
    edge_put_value(&out, "version", edge_get(context, "functionVersion"));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(hello)
