/* trips: the shortest way between two places.
 *
 * The body has a road a line, "FROM TO LENGTH", to be travelled either way; `from` and `to` are in
 * the query. The answer is the way and its length, 404 when there is none.
 *
 *     curl --data-binary $'A B 7\nB C 1\nA C 9' 'localhost:8080/cpp-trips?from=A&to=C'    A B C: 8
 */
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "edge.h"

using Road = std::pair<std::string, std::uint32_t>;
using Map = std::map<std::string, std::vector<Road>>;

static std::string text_of(edge_slice slice) {
    return {reinterpret_cast<const char *>(slice.ptr), slice.len};
}

/* The roads of a map; false when a line is none. */
static bool read_map(const std::string &text, Map &map) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string from, to;
        std::uint32_t length;
        if (!(words >> from >> to >> length)) return false;
        map[from].emplace_back(to, length);
        map[to].emplace_back(from, length);
    }
    return true;
}

/* Dijkstra's algorithm: where each place that was reached is best come to from, and how far it is. */
static std::map<std::string, std::pair<std::uint64_t, std::string>> travel(const Map &map,
                                                                           const std::string &from) {
    using Stop = std::pair<std::uint64_t, std::string>;
    std::map<std::string, Stop> reached{{from, {0, ""}}};
    std::priority_queue<Stop, std::vector<Stop>, std::greater<>> open;
    open.emplace(0, from);
    while (!open.empty()) {
        auto [far, place] = open.top();
        open.pop();
        auto roads = map.find(place);
        if (far > reached[place].first || roads == map.end()) continue;
        for (const auto &[next, length] : roads->second) {
            auto known = reached.find(next);
            if (known != reached.end() && known->second.first <= far + length) continue;
            reached[next] = {far + length, place};
            open.emplace(far + length, next);
        }
    }
    return reached;
}

static edge_result answer(int status, const std::string &text) {
    return edge_respond(status, "text/plain; charset=utf-8", text.data(), text.size());
}

static edge_result trips(edge_value event, edge_value) {
    const std::string from = text_of(edge_query(event, "from")), to = text_of(edge_query(event, "to"));
    Map map;
    if (!read_map(text_of(edge_body(event)), map))
        return answer(400, "a road is FROM TO LENGTH, such as A B 7\n");
    auto reached = travel(map, from);
    auto end = reached.find(to);
    if (end == reached.end()) return answer(404, "there is no way from " + from + " to " + to + "\n");
    std::vector<std::string> way;
    for (std::string place = to; !place.empty(); place = reached[place].second) way.push_back(place);
    std::string text;
    for (auto place = way.rbegin(); place != way.rend(); ++place) text += (text.empty() ? "" : " ") + *place;
    return answer(200, text + ": " + std::to_string(end->second.first) + "\n");
}

EDGE_HANDLER(trips)
