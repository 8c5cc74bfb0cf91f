/* misuse: handlers that get the SDK wrong. Each must end in an error that says so, never in bytes
 * that are not CBOR. The event is the name of the mistake.
 */
#include "edge.h"

static edge_result misuse(edge_value event, edge_value context) {
    (void)context;
    edge_writer out = {0};
    edge_slice mistake = edge_text(event);
    if (edge_equal(mistake, "no end")) {
        edge_write_map(&out);
    } else if (edge_equal(mistake, "end too often")) {
        edge_write_array(&out);
        edge_write_end(&out);
        edge_write_end(&out);
    } else if (edge_equal(mistake, "key without value")) {
        edge_write_map(&out);
        edge_write_key(&out, "key");
        edge_write_end(&out);
    } else if (edge_equal(mistake, "two values")) {
        edge_write_int(&out, 1);
        edge_write_int(&out, 2);
    } else if (edge_equal(mistake, "too deep")) {
        for (int i = 0; i < 10000; i++) edge_write_array(&out);
        for (int i = 0; i < 10000; i++) edge_write_end(&out);
    } else if (edge_equal(mistake, "too large")) {
        edge_write_bytes(&out, edge_slice_of("", UINT32_MAX / 2));
    } else if (edge_equal(mistake, "no memory")) {
        while (edge_memory(65536)) {}
        while (edge_memory(16)) {}
        edge_write_int(&out, 1);
    } else if (edge_equal(mistake, "incomplete request")) {
        return edge_fail_with(edge_call(edge_finish(&out)).error);
    }
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(misuse)
