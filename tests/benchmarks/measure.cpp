// SPDX-License-Identifier: MIT
#include "measure.h"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace {

qint64 clockTime(clockid_t clock)
{
    timespec time;
    clock_gettime(clock, &time);
    return qint64(time.tv_sec) * 1000000000 + time.tv_nsec;
}

} // namespace

qint64 monotonicTime()
{
    return clockTime(CLOCK_MONOTONIC);
}

qint64 threadCpuTime()
{
    return clockTime(CLOCK_THREAD_CPUTIME_ID);
}

double quantile(QList<double> values, double part)
{
    if (values.isEmpty())
        return std::nan("");
    std::sort(values.begin(), values.end());
    const double at = part * double(values.size() - 1);
    const qsizetype below = qsizetype(at);
    const qsizetype above = std::min(below + 1, values.size() - 1);
    return values[below] + (values[above] - values[below]) * (at - double(below));
}

double Samples::median() const
{
    return quantile(values, 0.5);
}

double Samples::minimum() const
{
    return quantile(values, 0);
}

double Samples::maximum() const
{
    return quantile(values, 1);
}

void Comparison::add(const QString &subject, const Measure &measure)
{
    m_subjects.push_back({ subject, measure, {}, false, {} });
}

void Comparison::run(int runs, bool warmUp)
{
    const std::size_t count = m_subjects.size();
    for (int run = warmUp ? -1 : 0; run < runs; ++run) {
        for (std::size_t i = 0; i < count; ++i) {
            Subject &subject = m_subjects[(i + std::size_t(run + 1)) % count];
            if (!subject.failure.isEmpty())
                continue;
            try {
                const QList<double> values = subject.measure();
                if (run >= 0)
                    subject.values.append(values);
            } catch (const Failure &failure) {
                subject.failure = failure.text();
                subject.broken = dynamic_cast<const Unavailable *>(&failure) == nullptr;
                subject.values.clear();
            }
        }
    }
}

Samples Comparison::samples(const QString &subject, int quantity) const
{
    Samples samples;
    samples.subject = subject;
    for (const Subject &candidate : m_subjects) {
        if (candidate.name != subject)
            continue;
        samples.failure = candidate.failure;
        samples.broken = candidate.broken;
        for (const QList<double> &values : candidate.values)
            samples.values.append(values.value(quantity));
    }
    return samples;
}
