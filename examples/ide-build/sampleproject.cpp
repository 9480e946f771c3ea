// SPDX-License-Identifier: MIT
#include "sampleproject.h"

#include <QDir>
#include <QFile>

using namespace Qt::StringLiterals;

namespace {

// Two units are much heavier than the others and come first, so that compilers are at work at any
// moment at which the build may be stopped, on a machine with many cores, too.
constexpr int UnitCount = 24;
constexpr int HeavyUnitCount = 2;
constexpr int HeavyWeight = 40;
constexpr int LightWeight = 3;

constexpr char CMakeLists[] = R"(cmake_minimum_required(VERSION 3.16)
project(sample LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
file(GLOB sources ${CMAKE_SOURCE_DIR}/*.cpp)
add_executable(sample ${sources})
)";

// One instantiation of Layer costs a compiler some hundredths of a second.
constexpr char Header[] = R"(#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

template <int Unit, int N>
struct Layer
{
    using Key = std::array<int, N + 1>;

    static int evaluate(int seed)
    {
        std::map<Key, std::vector<std::string>> table;
        Key key{};
        std::iota(key.begin(), key.end(), seed + Unit);
        table[key].push_back(std::to_string(seed));
        std::sort(key.begin(), key.end(), [](int a, int b) { return a * N < b * N; });
        return int(table.size());
    }
};

template <int Unit, int... N>
int evaluateAll(int seed, std::integer_sequence<int, N...>)
{
    return (0 + ... + Layer<Unit, N>::evaluate(seed));
}
)";

constexpr char Unit[] = R"(#include "layers.h"

int unit%1(int seed)
{
    return evaluateAll<%1>(seed, std::make_integer_sequence<int, %2>());
}
)";

bool writeFile(const QString &path, const QString &text)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(text.toUtf8()) >= 0 && file.flush();
}

} // namespace

bool writeSampleProject(const QString &directory)
{
    const QDir dir(directory);
    if (!dir.mkpath(u"."_s)
        || !writeFile(dir.filePath(u"CMakeLists.txt"_s), QLatin1StringView(CMakeLists))
        || !writeFile(dir.filePath(u"layers.h"_s), QLatin1StringView(Header))) {
        return false;
    }

    QString declarations;
    QString calls;
    for (int unit = 0; unit < UnitCount; ++unit) {
        const int weight = unit < HeavyUnitCount ? HeavyWeight : LightWeight;
        const QString name = u"unit%1.cpp"_s.arg(unit, 2, 10, QLatin1Char('0'));
        if (!writeFile(dir.filePath(name), QString::fromLatin1(Unit).arg(unit).arg(weight)))
            return false;
        declarations += u"int unit%1(int);\n"_s.arg(unit);
        calls += u" + unit%1(1)"_s.arg(unit);
    }
    return writeFile(dir.filePath(u"main.cpp"_s),
                     declarations + u"int main()\n{\n    return 0%1;\n}\n"_s.arg(calls));
}
