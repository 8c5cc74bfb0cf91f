/* words: the words of a body that occur most, as JSON.
 *
 *     curl --data-binary 'one two two' 'localhost:8080/cpp-words?most=1'    {"two": 2}
 */
#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "edge.h"

static std::string_view view_of(edge_slice slice) {
    return {reinterpret_cast<const char *>(slice.ptr), slice.len};
}

/* How often each word occurs; a word is what stands between spaces and line ends. */
static std::map<std::string_view, int> count(std::string_view text) {
    std::map<std::string_view, int> counts;
    constexpr std::string_view between = " \t\r\n";
    for (auto at = text.find_first_not_of(between); at != text.npos;) {
        auto end = std::min(text.find_first_of(between, at), text.size());
        ++counts[text.substr(at, end - at)];
        at = text.find_first_not_of(between, end);
    }
    return counts;
}

static edge_result words(edge_value event, edge_value) {
    std::string_view asked = view_of(edge_or(edge_query(event, "most"), "10"));
    std::size_t most = 0;
    auto [rest, error] = std::from_chars(asked.begin(), asked.end(), most);
    if (error != std::errc() || rest != asked.end())
        return edge_respond_text(400, "most must be a number\n");

    auto counts = count(view_of(edge_body(event)));
    std::vector<std::pair<std::string_view, int>> ordered(counts.begin(), counts.end());
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto &one, const auto &other) { return one.second > other.second; });
    ordered.resize(std::min(most, ordered.size()));

    edge_writer out = {};
    edge_write_map(&out);
    for (const auto &[word, times] : ordered) {
        edge_write_text(&out, edge_slice_of(word.data(), word.size()));
        edge_write_int(&out, times);
    }
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(words)
