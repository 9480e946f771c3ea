// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_BENCHMARK_H
#define PROCESSKIT_BENCH_BENCHMARK_H

#include "measure.h"
#include "report.h"

#include <QtCore/qjsonobject.h>
#include <QtCore/qlist.h>
#include <QtCore/qstring.h>

#include <map>
#include <string>

// What a benchmark is given, and where it leaves its figures.
class Bench
{
public:
    int runs = 7;
    bool smoke = false; // only show that everything works, with tiny sizes
    QString name;
    QString part; // set in a process of its own that another one asked for
    QJsonObject partResult; // what that process answers

    // the size of a run
    template<typename Number>
    Number size(Number normal, Number tiny) const
    {
        return smoke ? tiny : normal;
    }

    // a tiny run says nothing about time, so it has no target
    void add(Figure figure)
    {
        if (smoke)
            figure.target = {};
        figures.append(figure);
    }
    // a row that says why there is no figure
    void unavailable(const QString &figure, const QString &reason);

    // Runs one part of this benchmark in a fresh process and returns its answer. Throws Failure.
    QJsonObject runPart(const QString &partName) const;

    QList<Figure> figures;
};

struct Benchmark
{
    const char *description;
    void (*run)(Bench &bench);
};

// All benchmarks by name.
std::map<std::string, Benchmark> &benchmarks();

struct Registration
{
    Registration(const char *name, const char *description, void (*run)(Bench &))
    {
        benchmarks().insert({ name, { description, run } });
    }
};

// Starts this program again with \a arguments and returns the JSON object that it answers.
// Throws Failure.
QJsonObject runSelf(const QStringList &arguments);

// A program of tests/benchmarks/programs, beside this one.
QString helper(const char *name);

#endif // PROCESSKIT_BENCH_BENCHMARK_H
