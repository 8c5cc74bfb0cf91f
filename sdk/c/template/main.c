/* {{name}}: greets whom the query names.
 *
 *     curl 'localhost:8080/{{name}}?name=Ada'
 */
#include "edge.h"

static edge_result greet(edge_value event, edge_value context) {
    edge_slice name = edge_or(edge_query(event, "name"), "world");
    edge_log(EDGE_INFO, "greeting %.*s, %lld ms left", EDGE_FMT(name),
             (long long)edge_remaining_ms(context));

    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "message", edge_format("Hello, %.*s!", EDGE_FMT(name)));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(greet)
