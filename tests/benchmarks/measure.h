// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_MEASURE_H
#define PROCESSKIT_BENCH_MEASURE_H

#include <QtCore/qlist.h>
#include <QtCore/qstring.h>

#include <functional>
#include <stdexcept>
#include <vector>

// Why something could not be measured. Never thrown through an event loop.
class Failure : public std::runtime_error
{
public:
    explicit Failure(const QString &why) : std::runtime_error(why.toStdString()) { }
    QString text() const { return QString::fromUtf8(what()); }
};

// CLOCK_MONOTONIC in nanoseconds
qint64 monotonicTime();
// CPU time of the calling thread in nanoseconds
qint64 threadCpuTime();

// The host cannot do it, which is no fault.
class Unavailable : public Failure
{
public:
    using Failure::Failure;
};

class Stopwatch
{
public:
    double seconds() const { return double(monotonicTime() - m_start) / 1e9; }

private:
    qint64 m_start = monotonicTime();
};

// The values of one quantity of one subject, one for each run.
struct Samples
{
    QString subject;
    QString failure; // why there are none
    bool broken = false; // and it is a fault
    QList<double> values;

    double median() const;
    double minimum() const;
    double maximum() const;
};

// Measures several subjects in turn, A B A B, each turn beginning with another one, so that what
// the machine does meanwhile hits all alike. The round of warming up is not counted: it is when
// caches are filled and what is started once is started.
class Comparison
{
public:
    // returns one value for each quantity that is compared
    using Measure = std::function<QList<double>()>;

    void add(const QString &subject, const Measure &measure);
    void run(int runs, bool warmUp = true);
    Samples samples(const QString &subject, int quantity = 0) const;

private:
    struct Subject
    {
        QString name;
        Measure measure;
        QString failure;
        bool broken = false;
        QList<QList<double>> values;
    };
    std::vector<Subject> m_subjects;
};

// of values that need not be sorted; \a part is 0.5 for the median
double quantile(QList<double> values, double part);

#endif // PROCESSKIT_BENCH_MEASURE_H
