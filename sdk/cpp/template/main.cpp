// {{name}}: greets whom the query names.
//
//     curl 'localhost:8080/{{name}}?name=Ada'
#include <string>

#include "edge.h"

static edge_result greet(edge_value event, edge_value) {
    edge_slice name = edge_or(edge_query(event, "name"), "world");
    std::string message = "Hello, " + std::string(name.ptr, name.len) + "!";
    edge_log(EDGE_INFO, "greeting %s", message.c_str());

    edge_writer out = {};
    edge_write_map(&out);
    edge_put_text(&out, "message", edge_slice_of(message.data(), message.size()));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(greet)
