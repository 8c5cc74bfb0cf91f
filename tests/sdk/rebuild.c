/* rebuild: reads the whole event through the SDK's views and writes it anew through its writer, so
 * what comes back equals the event only if reading, iterating and writing are all right.
 *
 * An event {"format": …} asks for text instead: every conversion of edge_format at once.
 */
#include "edge.h"

static void rebuild_value(edge_writer *out, edge_value value) {
    switch (edge_kind_of(value)) {
    case EDGE_ABSENT: break;
    case EDGE_NULL: edge_write_null(out); break;
    case EDGE_BOOL: edge_write_bool(out, edge_bool(value, false)); break;
    case EDGE_FLOAT: edge_write_float(out, edge_float(value, 0)); break;
    case EDGE_TEXT: edge_write_text(out, edge_text(value)); break;
    case EDGE_BYTES: edge_write_bytes(out, edge_bytes(value)); break;
    case EDGE_INT:
        /* Beyond int64 there are only the positive ones; what is left below it becomes a float. */
        if (edge_uint(value, 0)) edge_write_uint(out, edge_uint(value, 0));
        else if (edge_int(value, 1) <= 0) edge_write_int(out, edge_int(value, 1));
        else edge_write_float(out, edge_float(value, 0));
        break;
    case EDGE_ARRAY:
    case EDGE_MAP: {
        bool is_map = edge_kind_of(value) == EDGE_MAP;
        if (is_map) edge_write_map(out);
        else edge_write_array(out);
        for (edge_iter it = edge_iterate(value); edge_next(&it);) {
            if (is_map) rebuild_value(out, it.key);
            rebuild_value(out, it.value);
        }
        edge_write_end(out);
    }
    }
}

static edge_result format(edge_value request) {
    int64_t i = edge_int(edge_get(request, "int"), 0);
    double f = edge_float(edge_get(request, "float"), 0);
    edge_slice s = edge_text(edge_get(request, "text"));
    return edge_ok(edge_of_text(edge_format(
        "%lld|%llu|%llx|%d|%u|%06d|%-6d|%4d|%f|%.2f|%10.3f|%.0f|%.*s|%8.3s|%-5s|%c|%zu|100%%",
        (long long)i, (unsigned long long)i, (unsigned long long)i, (int)i, (unsigned)i, (int)i,
        (int)i, (int)i, f, f, f, f, EDGE_FMT(s), "abcdef", "ab", 'z', s.len)));
}

static edge_result rebuild(edge_value event, edge_value context) {
    (void)context;
    if (edge_get(event, "format").at) return format(edge_get(event, "format"));
    if (edge_get(event, "base64").at) {
        edge_slice bytes = edge_base64_decode(edge_text(edge_get(event, "base64")));
        return edge_ok(bytes.ptr ? edge_of_bytes(bytes) : edge_of_int(-1));
    }
    if (edge_get(event, "unescape").at)
        return edge_ok(edge_of_bytes(edge_unescape(edge_text(edge_get(event, "unescape")))));
    if (edge_get(event, "text").at)
        return edge_ok(edge_of_text(edge_bytes(edge_get(event, "text"))));
    edge_writer out = {0};
    rebuild_value(&out, event);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(rebuild)
