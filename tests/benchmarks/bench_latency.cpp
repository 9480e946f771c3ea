// SPDX-License-Identifier: MIT
#include "barecgroup.h"
#include "barespawn.h"
#include "benchmark.h"
#include "subjects.h"

#include <QtCore/qtemporaryfile.h>

#include <poll.h>
#include <sys/mman.h>

namespace {

const QString bare = QStringLiteral("bare poll of a pidfd");

// A number in memory that the child writes too.
class SharedTime
{
public:
    SharedTime()
    {
        if (!m_file.open() || !m_file.resize(sizeof(qint64)))
            throw Failure(m_file.errorString());
        void *memory = mmap(nullptr, sizeof(qint64), PROT_READ, MAP_SHARED, m_file.handle(), 0);
        if (memory == MAP_FAILED)
            throw Failure(QStringLiteral("mmap failed"));
        m_time = static_cast<volatile qint64 *>(memory);
    }
    ~SharedTime() { munmap(const_cast<qint64 *>(m_time), sizeof(qint64)); }
    Q_DISABLE_COPY_MOVE(SharedTime)

    QString fileName() const { return m_file.fileName(); }
    double microsecondsSince() const { return double(monotonicTime() - *m_time) / 1e3; }

private:
    QTemporaryFile m_file;
    volatile qint64 *m_time = nullptr;
};

QList<double> summary(const QList<double> &latencies)
{
    return { quantile(latencies, 0.5), quantile(latencies, 0.99) };
}

template<typename Subject>
QList<double> measureSlot(const SharedTime &time, int count)
{
    using Process = typename Subject::Process;
    QList<double> latencies;
    for (int i = 0; i < count; ++i) {
        Process process;
        Subject::prepare(process);
        QEventLoop loop;
        failOnError(process, loop);
        QObject::connect(&process, &Process::finished, &loop, [&] {
            latencies += time.microsecondsSince();
            loop.quit();
        });
        process.start(helper("pk-clock"), { time.fileName() });
        runLoop(loop);
    }
    return summary(latencies);
}

QList<double> measureBare(const SharedTime &time, int count)
{
    const BareCgroup cgroup("latency");
    QList<double> latencies;
    for (int i = 0; i < count; ++i) {
        BareChild child = bareStart(helper("pk-clock"), time.fileName(), cgroup.directory());
        pollfd exit{ child.pidfd, POLLIN, 0 };
        poll(&exit, 1, -1);
        latencies += time.microsecondsSince();
        bareReap(child);
    }
    return summary(latencies);
}

void run(Bench &bench)
{
    const SharedTime time;
    const int count = bench.size(200, 5);
    Comparison comparison;
    comparison.add(InCgroup::name(), [&] { return measureSlot<InCgroup>(time, count); });
    comparison.add(Classic::name(), [&] { return measureSlot<Classic>(time, count); });
    comparison.add(bare, [&] { return measureBare(time, count); });
    comparison.add(InSubreaper::name(), [&] { return measureSlot<InSubreaper>(time, count); });
    comparison.run(bench.runs);

    const QString unit = QStringLiteral("us");
    const Samples contained = comparison.samples(InCgroup::name());
    const Samples classic = comparison.samples(Classic::name());
    bench.add(figure(QStringLiteral("latency"), unit, contained, classic));
    bench.add(figure(QStringLiteral("latency-bare"), unit, contained, comparison.samples(bare)));
    bench.add(figure(QStringLiteral("latency-p99"), unit, comparison.samples(InCgroup::name(), 1),
                     comparison.samples(Classic::name(), 1)));
    bench.add(figure(QStringLiteral("latency-subreaper"), unit,
                     comparison.samples(InSubreaper::name()), classic));
}

const Registration registration("latency", "from the last act of a child to the slot of finished()",
                                run);

} // namespace
