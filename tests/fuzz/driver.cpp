// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>

// Runs a target without libFuzzer: its seeds, every prefix of them, and a fixed number of random
// mutations, the same ones in each run.
//   fuzz_TARGET [MUTATIONS]         runs
//   fuzz_TARGET --write DIRECTORY   writes the seeds as libFuzzer's corpus
//   fuzz_TARGET --file FILE         runs one input, such as libFuzzer's of a crash

namespace {

constexpr long defaultMutations = 200000;

void run(const std::string &input)
{
    // a copy of exactly that size, so that a sanitizer sees any access beyond it
    const std::vector<std::uint8_t> exact(input.begin(), input.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

class Mutator
{
public:
    explicit Mutator(std::vector<std::string> inputs) : m_inputs(std::move(inputs)) { }

    std::string next()
    {
        std::string input = m_inputs[below(m_inputs.size())];
        for (std::size_t left = 1 + below(6); left > 0; --left)
            change(&input);
        return input;
    }

private:
    std::size_t below(std::size_t end) { return m_random() % end; }

    void change(std::string *input)
    {
        static constexpr std::uint32_t numbers[] = { 0,          1,         0x7f,   0x80,
                                                     0xff,       0x7fff,    0xffff, 0x7fffffff,
                                                     0x80000000, 0xffffffff };
        const std::size_t at = below(input->size() + 1);
        switch (below(7)) {
        case 0:
            if (at < input->size())
                (*input)[at] = char((*input)[at] ^ (1 << below(8)));
            break;
        case 1:
            if (at < input->size())
                (*input)[at] = char(m_random());
            break;
        case 2:
            input->erase(at, 1 + below(8));
            break;
        case 3:
            input->insert(at, 1 + below(8), char(m_random()));
            break;
        case 4: // a number where one may be
            if (at + sizeof(std::uint32_t) <= input->size()) {
                const std::uint32_t number = numbers[below(std::size(numbers))];
                std::memcpy(input->data() + at, &number, sizeof number);
            }
            break;
        case 5: // what is good somewhere else
            splice(input, at, m_inputs[below(m_inputs.size())]);
            break;
        case 6:
            input->resize(at);
            break;
        }
    }

    void splice(std::string *input, std::size_t at, const std::string &other)
    {
        const std::size_t from = below(other.size() + 1);
        input->replace(at, below(16), other, from, below(32));
    }

    std::vector<std::string> m_inputs;
    std::mt19937 m_random{ 20240229 };
};

int writeSeeds(const std::string &directory)
{
    int number = 0;
    for (const std::string &seed : seeds()) {
        std::ofstream file(directory + "/seed" + std::to_string(++number), std::ios::binary);
        file << seed;
        if (!file.flush())
            return 1;
    }
    return 0;
}

int runFile(const char *name)
{
    std::ifstream file(name, std::ios::binary);
    run(std::string(std::istreambuf_iterator<char>(file), {}));
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc == 3 && std::strcmp(argv[1], "--write") == 0)
        return writeSeeds(argv[2]);
    if (argc == 3 && std::strcmp(argv[1], "--file") == 0)
        return runFile(argv[2]);
    long mutations = defaultMutations;
    if (argc == 2)
        std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), mutations);

    std::vector<std::string> inputs = seeds();
    for (const std::string &seed : inputs) {
        for (std::size_t length = 0; length <= seed.size(); ++length)
            run(seed.substr(0, length));
    }
    Mutator mutator(inputs);
    for (long i = 0; i < mutations; ++i)
        run(mutator.next());
    std::printf("%zu seeds and %ld mutations\n", inputs.size(), mutations);
}
