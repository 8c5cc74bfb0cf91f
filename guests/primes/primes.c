/* primes: factors numbers from a table of 8 MB that its initialiser builds.
 *
 *     curl 'localhost:8080/primes?n=360360'      factors, and the primes next to it
 *     curl 'localhost:8080/primes?nth=1000'      the 1000th prime: 7919
 *
 * The sieve takes some ten milliseconds. edge_init runs it once, when the function is deployed; a
 * request starts from the snapshot of its memory and pays only for the pages that it reads.
 */
#include "edge.h"

enum {
    TABLE_MAX = 4000000,             /* the table knows every number up to here */
    TABLE_ODDS = TABLE_MAX / 2,
    PRIMES_MAX = 283146,             /* there are so many primes up to TABLE_MAX */
};

/* Any number up to TABLE_MAX squared has at most one prime factor that is not in the table. */
static const uint64_t n_max = (uint64_t)TABLE_MAX * TABLE_MAX;

static uint32_t smallest_factor_of_odd[TABLE_ODDS]; /* at i: of 2i + 1 */
static uint32_t primes[PRIMES_MAX];
static uint32_t primes_count;

/* Euler's sieve: each odd composite is marked once, by its smallest prime factor. */
static void build_table(void) {
    primes[primes_count++] = 2;
    for (uint32_t n = 3; n < TABLE_MAX; n += 2) {
        uint32_t smallest = smallest_factor_of_odd[n / 2];
        if (!smallest) smallest = smallest_factor_of_odd[n / 2] = primes[primes_count++] = n;
        for (uint32_t i = 1; i < primes_count && primes[i] <= smallest; i++) {
            uint64_t composite = (uint64_t)n * primes[i];
            if (composite >= TABLE_MAX) break;
            smallest_factor_of_odd[composite / 2] = primes[i];
        }
    }
}

/* The smallest prime factor of n >= 2. Beyond the table it is looked for among the primes. */
static uint64_t smallest_factor(uint64_t n) {
    if (n % 2 == 0) return 2;
    if (n < TABLE_MAX) return smallest_factor_of_odd[n / 2];
    for (uint32_t i = 1; i < primes_count && (uint64_t)primes[i] * primes[i] <= n; i++)
        if (n % primes[i] == 0) return primes[i];
    return n;
}

static bool is_prime(uint64_t n) { return n >= 2 && smallest_factor(n) == n; }

/* How many primes are at most n, for n within the table. */
static uint32_t primes_up_to(uint64_t n) {
    uint32_t low = 0, high = primes_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (primes[middle] <= n) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void put_factors(edge_writer *out, uint64_t n) {
    edge_write_key(out, "factors");
    edge_write_array(out);
    while (n > 1) {
        uint64_t prime = smallest_factor(n);
        uint32_t power = 0;
        for (; n % prime == 0; n /= prime) power++;
        edge_write_map(out);
        edge_put_uint(out, "prime", prime);
        edge_put_uint(out, "power", power);
        edge_write_end(out);
    }
    edge_write_end(out);
}

static edge_result describe(uint64_t n) {
    uint64_t previous = n, next = n;
    do previous--;
    while (previous >= 2 && !is_prime(previous));
    do next++;
    while (!is_prime(next));

    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_uint(&out, "n", n);
    edge_put_bool(&out, "prime", is_prime(n));
    put_factors(&out, n);
    if (n > 2) edge_put_uint(&out, "previousPrime", previous);
    edge_put_uint(&out, "nextPrime", next);
    if (n < TABLE_MAX) edge_put_uint(&out, "primesUpToN", primes_up_to(n));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result nth_prime(uint64_t nth) {
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_uint(&out, "nth", nth);
    edge_put_uint(&out, "prime", primes[nth - 1]);
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

/* A decimal number from min to max, or 0. */
static uint64_t number_of(edge_slice digits, uint64_t min, uint64_t max) {
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || number > max) return 0;
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    return number >= min && number <= max ? number : 0;
}

static edge_result primes_of(edge_value event, edge_value context) {
    (void)context;
    uint64_t n = number_of(edge_query(event, "n"), 1, n_max);
    uint64_t nth = number_of(edge_query(event, "nth"), 1, primes_count);
    if (n) return describe(n);
    if (nth) return nth_prime(nth);
    edge_slice usage = edge_format("give ?n= from 1 to %llu or ?nth= from 1 to %u\n",
                                   (unsigned long long)n_max, primes_count);
    return edge_respond(400, "text/plain", usage.ptr, usage.len);
}

EDGE_INIT(build_table)
EDGE_HANDLER(primes_of)
