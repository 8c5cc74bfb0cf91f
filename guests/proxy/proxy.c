/* proxy: fetches the URL in its query and tells what came back.
 *
 *     curl 'localhost:8080/proxy?url=https://example.com/'            a summary, as JSON
 *     curl 'localhost:8080/proxy?url=https://example.com/&raw=1'      the page itself
 *
 * Only hosts that the function was granted can be fetched: see grants in edge.toml. An error of
 * the host call becomes the gateway status that fits it, so a caller can tell a refusal (403) from
 * a slow (504) or an absent (502) upstream.
 */
#include "edge.h"

enum { PREVIEW_BYTES_MAX = 200, MARGIN_MS = 100 };

static int status_of(edge_code code) {
    switch (code) {
    case EDGE_DENIED: return 403;
    case EDGE_INVALID_REQUEST: return 400;
    case EDGE_QUOTA: return 429;
    case EDGE_TIMEOUT: return 504;
    case EDGE_UNAVAILABLE: return 503;
    default: return 502;
    }
}

static edge_result refuse(edge_error error) {
    edge_log(EDGE_WARN, "fetch failed: %.*s: %.*s", EDGE_FMT(error.name), EDGE_FMT(error.message));
    edge_slice text = edge_format("%.*s: %.*s\n", EDGE_FMT(error.name), EDGE_FMT(error.message));
    return edge_respond(status_of(error.code), "text/plain", text.ptr, text.len);
}

static edge_result pass_on(edge_fetched page) {
    edge_slice type = edge_text(edge_get(page.headers, "content-type"));
    return edge_respond_with((edge_response){
        .status = page.status,
        .headers = (edge_header[]){{"content-type", edge_or(type, "text/plain")}, {0}},
        .body = page.body,
    });
}

static edge_result summarise(edge_fetched page) {
    size_t preview = page.body.len < PREVIEW_BYTES_MAX ? page.body.len : PREVIEW_BYTES_MAX;
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "url", page.url);
    edge_put_int(&out, "status", page.status);
    edge_put_value(&out, "contentType", edge_get(page.headers, "content-type"));
    edge_put_uint(&out, "bytes", page.body.len);
    edge_put_text(&out, "preview", edge_slice_of(page.body.ptr, preview));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result proxy(edge_value event, edge_value context) {
    edge_slice url = edge_query(event, "url");
    if (!url.len) return edge_respond_text(400, "give ?url=\n");

    /* A little less than what is left, so that a slow upstream ends in an answer of ours. */
    int64_t remaining_ms = edge_remaining_ms(context);
    edge_fetched page = edge_fetch((edge_fetch_request){
        .url = url,
        .headers = (edge_header[]){{"accept", edge_str("*/*")}, {0}},
        .timeout_ms = remaining_ms > 2 * MARGIN_MS ? (uint32_t)remaining_ms - MARGIN_MS : MARGIN_MS,
    });
    if (page.error.code) return refuse(page.error);
    return edge_query(event, "raw").ptr ? pass_on(page) : summarise(page);
}

EDGE_HANDLER(proxy)
