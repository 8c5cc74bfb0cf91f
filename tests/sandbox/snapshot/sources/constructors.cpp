// Objects with constructors and destructors, virtual calls and a heap, all made before edge_init.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

struct Word {
    virtual ~Word() = default;
    virtual std::string spell(int number) const = 0;
};
struct Plain : Word {
    std::string spell(int number) const override { return "number " + std::to_string(number); }
};
struct Twice : Word {
    std::string spell(int number) const override { return "twice " + std::to_string(2 * number); }
};

static std::map<std::string, int> numbers = [] {
    std::map<std::string, int> made;
    for (int number = 0; number < 5000; number++) made["key" + std::to_string(number)] = number;
    return made;
}();
static std::vector<std::unique_ptr<Word>> words = [] {
    std::vector<std::unique_ptr<Word>> made;
    made.push_back(std::make_unique<Plain>());
    made.push_back(std::make_unique<Twice>());
    return made;
}();
static std::string answer;

EXPORT("edge_alloc") void *edge_alloc(uint32_t length) { return malloc(length); }

EXPORT("edge_handle") uint64_t edge_handle(const char *event, uint32_t length) {
    auto found = numbers.find(std::string(event, length));
    numbers["another"] += 1;
    answer = found == numbers.end() ? "none" : words[found->second % 2]->spell(found->second);
    answer += " of " + std::to_string(numbers.size());
    return (uint64_t)(uintptr_t)answer.data() << 32 | (uint32_t)answer.size();
}
