/* ticker: server-sent events, one every `every` milliseconds, `n` of them.
 *
 *     curl -N 'localhost:8080/ticker?n=3'
 *
 * Each is on its way as soon as it is written. While the function sleeps it holds nothing but its
 * memory; when the client leaves it ends.
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "edge.h"

enum { TICKS_DEFAULT = 10, EVERY_MS_DEFAULT = 100, NUMBER_MAX = 10000 };

static int number(edge_slice digits, int fallback) {
    int value = 0;
    for (size_t i = 0; i < digits.len && value < NUMBER_MAX; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') return fallback;
        value = value * 10 + (digits.ptr[i] - '0');
    }
    return digits.len ? value : fallback;
}

static edge_result tick(edge_value event, edge_value context) {
    int count = number(edge_query(event, "n"), TICKS_DEFAULT);
    int every_ms = number(edge_query(event, "every"), EVERY_MS_DEFAULT);
    struct timespec pause = {every_ms / 1000, every_ms % 1000 * 1000000};

    edge_error error = edge_response_start((edge_response){
        .status = 200,
        .content_type = "text/event-stream",
        .headers = (edge_header[]){{"cache-control", edge_str("no-store")}, {0}},
    });
    for (int i = 0; i < count && !error.code; i++) {
        if (i > 0) nanosleep(&pause, NULL);
        edge_slice line = edge_format("data: {\"tick\":%d,\"remainingMs\":%lld}\n\n", i,
                                      (long long)edge_remaining_ms(context));
        error = edge_response_write(line.ptr, line.len);
    }
    return error.code ? edge_fail_with(error) : edge_streamed();
}

EDGE_HANDLER(tick)
