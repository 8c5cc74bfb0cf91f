/* counter: named counters in the key-value store, safe under concurrent requests.
 *
 *     curl localhost:8080/counter/visits                            read
 *     curl -X POST 'localhost:8080/counter/visits?by=2'             add, in one atomic step
 *     curl -X POST 'localhost:8080/counter/seats?max=100'           add one, but never beyond max
 *     curl -X PUT -H 'if-match: 7' -d 40 localhost:8080/counter/x   set, if version 7 still stands
 *     curl -X DELETE localhost:8080/counter/visits
 *
 * Answers are {"name", "value", "version"} with the version as their etag. A PUT without if-match
 * sets unconditionally; if-match: 0 creates. 412: another request wrote first. 409: it is full.
 */
#include "edge.h"

enum { SWAP_TRIES_MAX = 16 };

static edge_result answer(edge_slice name, int64_t value, uint64_t version) {
    edge_slice etag = edge_format("\"%llu\"", (unsigned long long)version);
    edge_slice body = edge_format("{\"name\": \"%.*s\", \"value\": %lld, \"version\": %llu}\n",
                                  EDGE_FMT(name), (long long)value, (unsigned long long)version);
    return edge_respond_with((edge_response){
        .status = 200,
        .content_type = "application/json",
        .headers = (edge_header[]){{"etag", etag}, {0}},
        .body = body,
    });
}

/* "12", "-3" or "\"12\"" (an etag); false if it is none of these. */
static bool parse_integer(edge_slice text, int64_t *number) {
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        text = edge_slice_of(text.ptr + 1, text.len - 2);
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (text.len == negative || text.len > 18) return false;
    *number = 0;
    for (size_t i = negative; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        *number = *number * 10 + (text.ptr[i] - '0');
    }
    if (negative) *number = -*number;
    return true;
}

/* The path names the counter: letters, digits, '-', '_' and '.', which need no escaping. */
static edge_slice name_of(edge_value event) {
    edge_slice path = edge_path(event), none = {NULL, 0};
    if (path.len < 2 || path.len > 65) return none;
    for (size_t i = 1; i < path.len; i++) {
        char c = path.ptr[i], lower = c | 0x20;
        bool fine = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
                 || c == '-' || c == '_' || c == '.';
        if (!fine) return none;
    }
    return edge_slice_of(path.ptr + 1, path.len - 1);
}

static edge_result get(edge_slice name) {
    edge_kv_entry entry = edge_kv_get(NULL, name);
    if (entry.error.code) return edge_fail_with(entry.error);
    if (!entry.found) return edge_respond_text(404, "no such counter\n");
    return answer(name, edge_int(entry.value, 0), entry.version);
}

static edge_result add(edge_slice name, int64_t by) {
    edge_kv_written written = edge_kv_increment(NULL, name, by, 0);
    if (written.error.code) return edge_fail_with(written.error);
    return answer(name, written.value, written.version);
}

/* A condition that increment cannot check: read, decide, and write only if nobody wrote since. */
static edge_result add_up_to(edge_slice name, int64_t by, int64_t max) {
    for (int tries = 0; tries < SWAP_TRIES_MAX; tries++) {
        edge_kv_entry entry = edge_kv_get(NULL, name);
        if (entry.error.code) return edge_fail_with(entry.error);
        int64_t value = edge_int(entry.value, 0);
        if (value > max - by) return edge_respond_text(409, "the counter is full\n");
        edge_kv_written written =
            edge_kv_swap(NULL, name, edge_of_int(value + by), 0, entry.version);
        if (written.error.code == EDGE_CONFLICT) continue;
        if (written.error.code) return edge_fail_with(written.error);
        return answer(name, value + by, written.version);
    }
    return edge_respond_text(503, "too many requests write this counter at once; try again\n");
}

static edge_result set(edge_slice name, edge_value event) {
    int64_t value, version;
    edge_slice match = edge_request_header(event, "if-match");
    if (!parse_integer(edge_body(event), &value))
        return edge_respond_text(400, "the body must be an integer\n");
    if (match.ptr && (!parse_integer(match, &version) || version < 0))
        return edge_respond_text(400, "if-match must be a version or an etag of this counter\n");
    edge_value number = edge_of_int(value);
    edge_kv_written written = match.ptr ? edge_kv_swap(NULL, name, number, 0, (uint64_t)version)
                                        : edge_kv_put(NULL, name, number, 0);
    if (written.error.code == EDGE_CONFLICT)
        return edge_respond_text(412, "the counter has another version by now\n");
    if (written.error.code) return edge_fail_with(written.error);
    return answer(name, value, written.version);
}

static edge_result delete(edge_slice name) {
    edge_kv_deleted deleted = edge_kv_delete(NULL, name);
    if (deleted.error.code) return edge_fail_with(deleted.error);
    if (!deleted.deleted) return edge_respond_text(404, "no such counter\n");
    return edge_respond_text(204, "");
}

static edge_result counter(edge_value event, edge_value context) {
    (void)context;
    edge_slice name = name_of(event), method = edge_method(event);
    if (!name.ptr) return edge_respond_text(404, "name a counter, as in /counter/visits\n");
    if (edge_equal(method, "GET") || edge_equal(method, "HEAD")) return get(name);
    if (edge_equal(method, "PUT")) return set(name, event);
    if (edge_equal(method, "DELETE")) return delete(name);
    if (!edge_equal(method, "POST")) return edge_respond_text(405, "GET, POST, PUT or DELETE\n");

    int64_t by = 1, max = 0;
    edge_slice by_text = edge_query(event, "by"), max_text = edge_query(event, "max");
    bool fine = (!by_text.ptr || parse_integer(by_text, &by))
             && (!max_text.ptr || parse_integer(max_text, &max));
    if (!fine)
        return edge_respond_text(400, "by and max must be integers of at most 18 digits\n");
    return max_text.ptr ? add_up_to(name, by, max) : add(name, by);
}

EDGE_HANDLER(counter)
